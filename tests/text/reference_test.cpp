// Against Hugging Face tokenizers and SentencePiece: tests/reference/make_tokens.py.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "fovea/storage/hash.h"
#include "fovea/text/tokenizers.h"
#include "support/test_files.h"
#include "text/unicode.h"

namespace fovea::text {
namespace {

using nlohmann::json;
using test::read_text;
using test::reference;

const json& expected() {
  static const json tokens = json::parse(read_text(reference("tokens.json")));
  return tokens;
}

TokenizerPtr wordpiece(WordPieceOptions options = {}) {
  TokenizerChoice choice;
  if (options.file.empty()) options.file = reference("tokens_vocab.txt");
  choice.set("wordpiece", options);
  TokenizerPtr tokenizer = choice.make();
  tokenizer->fit({});
  return tokenizer;
}

TokenizerPtr unigram() {
  TokenizerChoice choice;
  choice.set("sentencepiece", SentencePieceOptions{.file = reference("tokens_unigram.model")});
  TokenizerPtr tokenizer = choice.make();
  tokenizer->fit({});
  return tokenizer;
}

/// As the script writes them: id, bytes since the last end, length.
std::vector<int64_t> written(const std::vector<Token>& tokens) {
  std::vector<int64_t> numbers;
  int64_t last = 0;
  for (const Token& token : tokens) {
    numbers.insert(numbers.end(), {token.id, token.begin - last, token.end - token.begin});
    last = token.end;
  }
  return numbers;
}

void add_line(const std::vector<Token>& tokens, std::string& lines) {
  std::string line;
  for (const int64_t number : written(tokens))
    line += (line.empty() ? "" : " ") + std::to_string(number);
  lines += line + "\n";
}

int64_t agreeing(const Tokenizer& tokenizer, const char* key) {
  const json& texts = expected()["texts"];
  int64_t same = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto wanted = expected()[key][i].get<std::vector<int64_t>>();
    const auto found = written(tokenizer.encode(texts[i].get<std::string>()));
    same += found == wanted;
    EXPECT_EQ(found, wanted) << key << " " << i << ": " << texts[i].dump(-1, ' ', true);
  }
  return same;
}

TEST(TokenReference, WordPieceGivesTheIdsAndOffsetsOfHuggingFace) {
  EXPECT_EQ(agreeing(*wordpiece(), "wordpiece"), 1000);
}

TEST(TokenReference, TokenizerJsonIsReadLikeVocabTxt) {
  EXPECT_EQ(agreeing(*wordpiece({.file = reference("tokens_tokenizer.json")}), "wordpiece"), 1000);
  EXPECT_EQ(wordpiece({.file = reference("tokens_tokenizer.json")})->words(), wordpiece()->words());
}

TEST(TokenReference, SentencePieceGivesTheIdsAndOffsetsOfItsPythonPackage) {
  EXPECT_EQ(agreeing(*unigram(), "unigram"), 1000);
}

TEST(TokenReference, EverySettingOfTheNormalizerIsThatOfHuggingFace) {
  json file = json::parse(read_text(reference("tokens_tokenizer.json")));
  for (const json& variant : expected()["variants"]) {
    for (const char* key : {"clean_text", "handle_chinese_chars", "strip_accents", "lowercase"})
      file["normalizer"][key] = variant[key];
    TokenizerChoice choice;
    choice.set("wordpiece", WordPieceOptions{});
    const TokenizerPtr tokenizer = choice.make();
    tokenizer->restore(file.dump(), "a variant");
    std::string lines;
    for (const json& text : expected()["texts"])
      add_line(tokenizer->encode(text.get<std::string>()), lines);
    EXPECT_EQ(storage::sha256(lines), variant["sha256"]) << variant.dump();
  }
}

TEST(TokenReference, EveryCodePointIsWhatItIsToHuggingFace) {
  const TokenizerPtr tokenizer = wordpiece();
  const json& planes = expected()["planes"];
  for (char32_t plane = 0; plane < 17; ++plane) {
    std::string lines;
    for (char32_t c = plane << 16; c < (plane + 1) << 16; ++c) {
      if (c >= 0xd800 && c < 0xe000) continue;
      std::string one;
      append_character(c, one);
      add_line(tokenizer->encode("a" + one + "b \u0316" + one + "\u0301" + one), lines);
    }
    EXPECT_EQ(storage::sha256(lines), planes[plane]) << "plane " << static_cast<int>(plane);
  }
}

}  // namespace
}  // namespace fovea::text
