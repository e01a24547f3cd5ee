// A look at a SentencePiece model before its library reads it.
#pragma once

#include <string_view>

namespace fovea::text {

/// False where the table of the normalizer inside a .model leads outside of itself: the library
/// follows it unchecked. The rest the library checks.
bool sound_normalizer(std::string_view model);

}  // namespace fovea::text
