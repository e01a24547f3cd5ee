// What a target of tags takes from its text: the tokens that it tags, and places beside them, so
// that entities are told as they were written.
#pragma once

#include "sources/files.h"
#include "sources/targets.h"

namespace fovea::sources {

/// The tags of each case for every target that has some; what cannot be said goes into `notes`. A
/// config Error where its input is no text.
void add_tags(Cases& cases, const std::vector<Labels>& labels, std::vector<std::string>& notes,
              const std::function<std::string(size_t)>& line);

/// Beside each text that has tags "NAME.text", its bytes (uint8 [bytes]), and "NAME.offsets", where
/// its tokens begin and end among them (int64 [L, 2]). No model reads them.
void add_text_places(Cases& cases, const Targets& targets);

}  // namespace fovea::sources
