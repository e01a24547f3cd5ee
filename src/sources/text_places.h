// What a target of tags takes from its text: the tokens that it tags, and places beside them, so
// that entities are told as they were written.
#pragma once

#include "fovea/sources/source.h"
#include "sources/files.h"
#include "sources/targets.h"

namespace fovea::sources {

/// The tags of each case for every target that has some; beside them, as an input "TARGET.entities",
/// all entities as they were written (int64 [K, 4], see AlignedTags), for no model but for figures.
/// What tags cannot say goes into `notes`. A config Error where its input is no text.
void add_tags(Cases& cases, const std::vector<Labels>& labels, std::vector<std::string>& notes,
              const std::function<std::string(size_t)>& line);

/// "NAME.text", the bytes of the text (uint8 [bytes]), and "NAME.offsets", where its tokens begin
/// and end among them (int64 [L, 2]). No model reads them.
std::vector<std::pair<std::string, InputPtr>> text_places(const std::string& name, InputPtr text);

/// Puts them beside each text that has tags; beside `all` of them where words are to be shown.
void add_text_places(Cases& cases, const Targets& targets, bool all);

/// Reads a file as the text of a case of a trained model, with its places.
CaseReader text_file_reader(const std::string& name, const TextOptions& options,
                            const DataOptions& data, text::TokenizerPtr tokenizer);

}  // namespace fovea::sources
