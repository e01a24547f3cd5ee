// The two files that hold a WordPiece vocabulary.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/bert_text.h"

namespace fovea::text {

struct WordPieceFile {
  std::vector<std::string> words;                         ///< in the order of their ids
  std::vector<std::pair<std::string, int64_t>> specials;  ///< found in the text as they are
  std::string unknown = "[UNK]";
  std::string prefix = "##";  ///< of a piece that does not begin a word
  BertRules rules;
  std::optional<bool> strip_accents;  ///< as lowercase where there is none
};

/// Reads the bytes of either file; a data Error with `source` where they are neither.
WordPieceFile read_wordpiece(const std::string& bytes, const std::string& source);

/// tokenizer.json alone.
WordPieceFile read_tokenizer_json(const std::string& bytes, const std::string& source);

}  // namespace fovea::text
