// Parser: src/text/sentencepiece.cpp src/text/sentencepiece_model.cpp
// A text up to a NUL, then the model.
#include "fovea/text/tokenizers.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    fuzz::Input input(data, size);
    const std::string text = input.part();
    text::TokenizerChoice choice;
    choice.set("sentencepiece", text::SentencePieceOptions{.file = "input"});
    const text::TokenizerPtr tokenizer = choice.make();
    tokenizer->restore(std::string(input.rest()), "input");
    for (const text::Token& token : tokenizer->encode(text))
      fuzz::require(token.begin <= token.end && token.end <= static_cast<int64_t>(text.size()),
                    "a token outside the text");
  });
}
