// Parser: src/text/fitted.cpp src/text/words.cpp src/text/characters.cpp src/text/word_breaks.cpp src/text/tokenizer.cpp
// The words that a bundle keeps up to a NUL, then a text. The words of the text are fitted as well.
#include "fovea/text/tokenizers.h"
#include "fuzz/support/fuzz.h"

namespace {

void fit_and_encode(const fovea::text::TokenizerChoice& choice, const std::string& text) {
  const auto fitted = choice.make();
  fitted->fit({text, text});
  const auto restored = choice.make();
  restored->restore(fitted->stored(), "stored");
  fovea::fuzz::require(restored->encode(text) == fitted->encode(text), "other tokens");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  fuzz::Input input(data, size);
  const std::string stored = input.part(), text(input.rest());
  text::TokenizerChoice words, characters;
  words.set("words", text::WordsOptions{.strip_accents = size % 2 == 0});
  characters.set("characters", text::CharactersOptions{});
  fuzz::answers([&] {
    const text::TokenizerPtr tokenizer = words.make();
    tokenizer->restore(stored, "input");
    for (const text::Token& token : tokenizer->encode(text))
      fuzz::require(token.begin <= token.end && token.end <= static_cast<int64_t>(text.size()),
                    "a token outside the text");
    text::in_code_points(text, tokenizer->encode(text));
  });
  fuzz::answers([&] { fit_and_encode(words, text); });
  return fuzz::answers([&] { fit_and_encode(characters, text); });
}
