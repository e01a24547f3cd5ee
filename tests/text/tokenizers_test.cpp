#include "fovea/text/tokenizers.h"

#include <gmock/gmock.h>

#include <random>
#include <thread>

#include "fovea/core/error.h"
#include "fovea/text/fitted.h"
#include "support/test_files.h"
#include "text/word_breaks.h"

namespace fovea::text {
namespace {

using test::read_text;
using test::reference;
using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

template <class Options>
TokenizerPtr made(const std::string& name, Options options) {
  TokenizerChoice choice;
  choice.set(name, options);
  return choice.make();
}

TokenizerPtr fitted(WordsOptions options, const std::vector<std::string>& texts) {
  const TokenizerPtr tokenizer = made("words", options);
  tokenizer->fit(texts);
  return tokenizer;
}

std::vector<std::string> pieces(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<std::string> found;
  for (const Token& token : tokenizer.encode(text))
    found.push_back(text.substr(static_cast<size_t>(token.begin),
                                static_cast<size_t>(token.end - token.begin)));
  return found;
}

template <class Body>
std::string refusal(Body body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

TEST(Words, AreFittedByCountAndThenByBytes) {
  const TokenizerPtr words =
      fitted({.min_count = 2}, {"b a b c", "Z z Effusion, effusion: b a once"});
  EXPECT_THAT(words->words(), ElementsAre("[PAD]", "[UNK]", "b", "a", "effusion", "z"));
  EXPECT_THAT(words->encode("once Z"), ElementsAre(Token{1, 0, 4}, Token{5, 5, 6}));
  EXPECT_EQ(fitted({.min_count = 1, .max_words = 2}, {"c c a b"})->words(),
            (std::vector<std::string>{"[PAD]", "[UNK]", "c", "a"}));
}

TEST(Words, KeepNumbersAndSingleMarksAndPlacesInTheOriginal) {
  const TokenizerPtr words = fitted({.min_count = 1}, {"x"});
  EXPECT_THAT(
      pieces(*words, "No mass; 1,234.5 mg (can't)\t\u00a0→ 37°C.\u200b"),
      ElementsAre("No", "mass", ";", "1,234.5", "mg", "(", "can't", ")", "→", "37", "°", "C", "."));
  EXPECT_THAT(pieces(*words, "a:b@ü:c"), ElementsAre("a", ":", "b", "@", "ü", ":", "c"));
  EXPECT_THAT(pieces(*words, "Ödem 👨‍👩‍👧!?"),
              ElementsAre("Ödem", "👨‍👩‍👧", "!", "?"));
}

TEST(Words, OfOneSoundAreOneWordInEitherFormAndWithoutAccentsWhereAsked) {
  const std::string composed = "CAF\u00c9", apart = "cafe\u0301";
  const TokenizerPtr words = fitted({.min_count = 2}, {composed + " " + apart});
  EXPECT_THAT(words->words(), ElementsAre("[PAD]", "[UNK]", "caf\u00e9"));
  const TokenizerPtr plain = fitted({.strip_accents = true}, {composed + " cafe"});
  EXPECT_EQ(plain->word(2), "cafe");
  const TokenizerPtr cased = fitted({.lowercase = false, .min_count = 1}, {composed + " " + apart});
  EXPECT_EQ(cased->vocabulary(), 4);
}

TEST(Words, TheTableForAsciiHasTheBoundariesOfIcu) {
  std::mt19937 random(1);
  const std::string letters = "ab1.',;_\"-/A9\x01\x7f(";
  for (int n = 0; n < 200'000; ++n) {
    std::string run(1 + random() % 8, ' ');
    for (char& c : run)
      c = n % 2 ? letters[random() % letters.size()] : static_cast<char>(0x21 + random() % 94);
    for (char& c : run)
      if (c == ':' || c == '@') c = '.';
    std::vector<size_t> ours, theirs;
    each_ascii_segment(run, [&](size_t, size_t end) { ours.push_back(end); });
    each_icu_segment(run, [&](size_t, size_t end) { theirs.push_back(end); });
    ASSERT_EQ(ours, theirs) << run;
  }
}

TEST(Words, WhatWasFittedIsStoredAndRestored) {
  const TokenizerPtr words = fitted({.min_count = 1}, {"lung \u80ba \"quoted\" lung"});
  const TokenizerPtr again = made("words", WordsOptions{});
  again->restore(words->stored(), "model/words.json");
  EXPECT_EQ(again->words(), words->words());
  EXPECT_EQ(again->encode("quoted lung"), words->encode("quoted lung"));
  const auto fitted = std::dynamic_pointer_cast<FittedTokenizer>(again);
  fitted->restore_words({"[PAD]", "[UNK]", "x"}, "here");
  EXPECT_EQ(fitted->encode("x")[0].id, 2);
}

TEST(Words, WordsThatCannotBeAreRefusedWithTheirSource) {
  const TokenizerPtr words = made("words", WordsOptions{});
  for (const char* bad : {"", "[1]", "{}", "[\"[PAD]\"]", "[\"a\",\"b\"]",
                          "[\"[PAD]\",\"[UNK]\",\"a\",\"a\"]", "[\"[PAD]\",\"[UNK]\""})
    EXPECT_THAT(refusal([&] { words->restore(bad, "m/words.json"); }), HasSubstr("m/words.json"));
  EXPECT_THAT(refusal([&] { words->fit({"a b c"}); }), HasSubstr("min_count = 2"));
}

TEST(Characters, AreCodePointsOrBytes) {
  const TokenizerPtr points = made("characters", CharactersOptions{});
  points->fit({"aé a"});
  EXPECT_THAT(points->words(), ElementsAre("[PAD]", "[UNK]", "a", " ", "é"));
  EXPECT_THAT(points->encode("éx"), ElementsAre(Token{4, 0, 2}, Token{1, 2, 3}));
  const TokenizerPtr bytes = made("characters", CharactersOptions{.bytes = true});
  EXPECT_EQ(bytes->vocabulary(), 258);
  EXPECT_EQ(bytes->word(2 + 0xc3), "<0xC3>");
  EXPECT_THAT(bytes->encode("é"), ElementsAre(Token{0xc3 + 2, 0, 1}, Token{0xa9 + 2, 1, 2}));
}

TEST(Tokenizers, EveryOneGivesNothingForAnEmptyTextAndAnswersFromManyThreads) {
  for (const std::string& name : tokenizers().names()) {
    TokenizerChoice choice;
    choice.select(name);
    if (name == "wordpiece")
      choice.set(name, WordPieceOptions{.file = reference("tokens_vocab.txt")});
    if (name == "sentencepiece")
      choice.set(name, SentencePieceOptions{.file = reference("tokens_unigram.model")});
    const TokenizerPtr tokenizer = choice.make();
    if (name != "characters") {
      EXPECT_EQ(tokenizer->vocabulary(), 0) << name;
      EXPECT_THROW(tokenizer->encode("a"), Error);
    }
    const std::string text = "Ödem der Lunge, pneumonia 肺 pneumonia";
    tokenizer->fit({text});
    EXPECT_TRUE(tokenizer->encode("").empty()) << name;
    const auto wanted = tokenizer->encode(text);
    EXPECT_FALSE(wanted.empty()) << name;
    std::vector<std::thread> threads;
    std::vector<int> wrong(4);
    for (int& count : wrong)
      threads.emplace_back([&] {
        for (int n = 0; n < 200; ++n) count += tokenizer->encode(text) != wanted;
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(wrong, testing::Each(0)) << name;
    const TokenizerPtr again = choice.make();
    again->restore(tokenizer->stored(), "a bundle");
    EXPECT_EQ(again->encode(text), wanted) << name;
  }
}

TEST(Tokenizers, TextsThatAreNoUtf8AreRefusedWithTheFirstBadByte) {
  const TokenizerPtr words = fitted({.min_count = 1, .max_bytes = 40}, {"x"});
  const std::string latin = refusal([&] { words->encode("Herr M\xfcller"); });
  EXPECT_THAT(latin, HasSubstr("byte 6 of the text (0xfc)"));
  EXPECT_THAT(latin, testing::Not(HasSubstr("Herr")));
  EXPECT_THAT(refusal([&] {
                words->encode(
                    "\xff\xfe"
                    "a");
              }),
              HasSubstr("UTF-16; convert to UTF-8"));
  EXPECT_THAT(refusal([&] { words->encode(std::string(41, 'a')); }), HasSubstr("max_bytes"));
  EXPECT_THAT(refusal([&] { words->fit({"good", "\x80"}); }), HasSubstr("text 1: byte 0"));
}

TEST(Tokenizers, OffsetsAreAlsoHadInCodePoints) {
  const TokenizerPtr words = fitted({.min_count = 1}, {"x"});
  const std::string text = "é 肺炎x 👍 b";
  auto tokens = words->encode(text);
  tokens = in_code_points(text, tokens);
  EXPECT_EQ(tokens.back().begin, 8);
  EXPECT_EQ(tokens.back().end, 9);
  EXPECT_THAT(in_code_points("éa", {{7, 0, 0}, {8, 2, 3}, {8, 0, 2}, {9, 0, 0}}),
              ElementsAre(Token{7, 0, 0}, Token{8, 1, 2}, Token{8, 0, 1}, Token{9, 0, 0}));
}

TEST(Tokenizers, ALineOfManyMegabytesTakesLinearTime) {
  std::string line;
  for (const char* part : {"aé\u0301", "肺", "a", "\u0316", ".", "x y"}) {
    std::string run;
    while (run.size() < (2u << 20)) run += part;
    line += run;
  }
  for (const auto& tokenizer :
       {fitted({.min_count = 1}, {"x"}),
        made("wordpiece", WordPieceOptions{.file = reference("tokens_vocab.txt")})}) {
    tokenizer->fit({"x"});
    EXPECT_GT(tokenizer->encode(line).size(), 1'000'000u);
  }
}

}  // namespace
}  // namespace fovea::text
