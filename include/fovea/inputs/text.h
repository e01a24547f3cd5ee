// Texts as an input: the ids of their tokens.
#pragma once

#include "fovea/inputs/inputs.h"
#include "fovea/text/tokenizers.h"

namespace fovea::inputs {

struct TextOptions {
  std::string column{};
  text::TokenizerChoice tokenizer{};
  int64_t max_tokens = 512;
  int64_t spelling = 0;
  bool optional = false;

  void describe(Fields& f) {
    f("column", column, "the column of the table with the text").required();
    f("tokenizer", tokenizer, "splits the text into tokens");
    f("max_tokens", max_tokens, "longer texts are truncated, and counted in the log").above(0);
    f("spelling", spelling,
      "bytes of each word that the encoder sees besides its id, half of them the last ones; 0: "
      "none")
        .between(0, 256);
    f("optional", optional, kOptionalHelp);
  }
};

/// A text per row, as the ids of its tokens. The words are fitted to the training rows, and to
/// them alone. A data Error with the lines of texts in which there is no token, and with the line of
/// one that is not valid UTF-8.
InputType text_input(const TextOptions& options);

}  // namespace fovea::inputs
