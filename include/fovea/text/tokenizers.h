// The catalogue of tokenizers and their settings.
#pragma once

#include <filesystem>
#include <optional>

#include "fovea/core/catalogue.h"
#include "fovea/text/tokenizer.h"

namespace fovea::text {

constexpr int64_t kLongestText = int64_t{64} << 20;  ///< bytes

/// Words, numbers and single marks between the word boundaries of Unicode (UAX #29), in Unicode's
/// composed form (NFC). The text is first cut at ASCII white space and around : and @. The words
/// are fitted.
struct WordsOptions {
  bool lowercase = true;
  bool strip_accents = false;
  int64_t min_count = 2;
  int64_t max_words = 30000;
  int64_t max_bytes = kLongestText;
  void describe(Fields& f);
};

/// Code points, fitted; or bytes, where byte b has the id 2 + b and nothing is unknown.
struct CharactersOptions {
  bool bytes = false;
  int64_t min_count = 1;
  int64_t max_words = 30000;
  int64_t max_bytes = kLongestText;
  void describe(Fields& f);
};

/// BERT's (Devlin 2019), as the library Hugging Face tokenizers does it: names of special tokens
/// that stand in the text ("[SEP]") are those tokens.
struct WordPieceOptions {
  std::filesystem::path file;
  std::optional<bool> lowercase = {};
  std::optional<bool> strip_accents = {};
  bool add_special = false;
  int64_t max_bytes = kLongestText;
  void describe(Fields& f);
};

/// Its library takes about 125 bytes of memory for each byte of a text, hence the lower limit.
struct SentencePieceOptions {
  std::filesystem::path file;
  int64_t max_bytes = int64_t{8} << 20;
  void describe(Fields& f);
};

using TokenizerTable = Catalogue<TokenizerPtr()>;
/// The table: src/text/tokenizers.cpp. What is made knows no words yet: fit or restore it.
TokenizerTable& tokenizers();

struct TokenizerChoice : Choice<TokenizerPtr()> {
  TokenizerChoice() : Choice(tokenizers(), "words") {}
};

}  // namespace fovea::text
