// What all tables of text must be.
#pragma once

#include <filesystem>
#include <string_view>

namespace fovea::storage {

/// Bytes of the byte-order mark, 0 where there is none. A data Error where the text is UTF-16 or no
/// UTF-8, that says what to do.
size_t check_table_text(const std::filesystem::path& path, std::string_view text);

}  // namespace fovea::storage
