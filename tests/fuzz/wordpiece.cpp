// Parser: src/text/wordpiece_file.cpp src/text/tokenizer_json.cpp src/text/wordpiece.cpp src/text/bert_text.cpp
// The file up to a NUL, then a text.
#include "fovea/text/tokenizers.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    fuzz::Input input(data, size);
    text::TokenizerChoice choice;
    choice.set("wordpiece", text::WordPieceOptions{.file = "input"});
    const text::TokenizerPtr tokenizer = choice.make();
    tokenizer->restore(input.part(), "input");
    const std::string_view text = input.rest();
    for (const text::Token& token : tokenizer->encode(text)) {
      fuzz::require(token.id >= 0 && token.id < tokenizer->vocabulary(), "an id of no word");
      fuzz::require(token.begin <= token.end && token.end <= static_cast<int64_t>(text.size()),
                    "a token outside the text");
    }
    text::in_code_points(text, tokenizer->encode(text));
  });
}
