// Vocabularies that come from files.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>

#include "fovea/core/error.h"
#include "fovea/text/tokenizers.h"
#include "support/test_files.h"

namespace fovea::text {
namespace {

using nlohmann::json;
using test::read_text;
using test::reference;
using test::TempFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

template <class Options>
TokenizerPtr read(const std::string& name, Options options) {
  TokenizerChoice choice;
  choice.set(name, options);
  const TokenizerPtr tokenizer = choice.make();
  tokenizer->fit({});
  return tokenizer;
}

std::string refusal(const std::string& name, const std::string& bytes) {
  TempFolder folder;
  const auto path = folder.write("vocabulary", bytes);
  try {
    if (name == "wordpiece")
      read(name, WordPieceOptions{.file = path});
    else
      read(name, SentencePieceOptions{.file = path});
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

json bert() { return json::parse(read_text(reference("tokens_tokenizer.json"))); }

TEST(WordPiece, SpecialTokensAreFoundByName) {
  TempFolder folder;
  const auto path = folder.write("vocab.txt", "x\n[SEP]\n[UNK]\n##y\n[CLS]\r\n[PAD]\n");
  const TokenizerPtr tokens =
      read("wordpiece", WordPieceOptions{.file = path, .add_special = true});
  EXPECT_EQ(tokens->padding(), 5);
  EXPECT_EQ(tokens->unknown(), 2);
  EXPECT_EQ(tokens->word(4), "[CLS]");
  EXPECT_THAT(tokens->encode("Xyy z"), ElementsAre(Token{4, 0, 0}, Token{0, 0, 1}, Token{3, 1, 2},
                                                   Token{3, 2, 3}, Token{2, 4, 5}, Token{1, 0, 0}));
}

TEST(WordPiece, TheSettingsRuleOverTheFile) {
  TempFolder folder;
  const auto path = folder.write("vocab.txt", "[UNK]\ne\né\nE\nÉ\n");
  const auto id = [&](std::optional<bool> lowercase, std::optional<bool> strip) {
    return read("wordpiece",
                WordPieceOptions{.file = path, .lowercase = lowercase, .strip_accents = strip})
        ->encode("É")[0]
        .id;
  };
  EXPECT_EQ(id({}, {}), 1);
  EXPECT_EQ(id({}, false), 2);
  EXPECT_EQ(id(false, true), 3);
  EXPECT_EQ(id(false, {}), 4);
}

TEST(WordPiece, ADoubleOrMissingWordIsRefusedWithItsLine) {
  EXPECT_THAT(refusal("wordpiece", "[UNK]\na\nb\n[UNK]\n"),
              HasSubstr("line 4 repeats line 1: '[UNK]'"));
  EXPECT_THAT(refusal("wordpiece", "a\nb\n"), HasSubstr("found 2 words and no [UNK]"));
  EXPECT_THAT(refusal("wordpiece", ""), HasSubstr("empty"));
  EXPECT_THAT(refusal("wordpiece", "[UNK]\n\xe4\n"), HasSubstr("byte 6 (0xe4)"));
  EXPECT_THAT(refusal("wordpiece", "\xff\xfe["), HasSubstr("UTF-16"));
  TempFolder folder;
  EXPECT_THROW(read("wordpiece",
                    WordPieceOptions{.file = folder.write("v", "[UNK]\n"), .add_special = true}),
               Error);
}

TEST(WordPiece, AnotherPipelineIsNamedWithWhatIsKnown) {
  json file = bert();
  file["model"]["type"] = "BPE";
  EXPECT_THAT(refusal("wordpiece", file.dump()),
              AllOf(HasSubstr("model is BPE"), HasSubstr("BertNormalizer and BertPreTokenizer")));
  file = bert();
  file["pre_tokenizer"] = nullptr;
  EXPECT_THAT(refusal("wordpiece", file.dump()), HasSubstr("pre_tokenizer is nothing"));
  file = bert();
  file["normalizer"] = {{"type", "Sequence"}};
  EXPECT_THAT(refusal("wordpiece", file.dump()), HasSubstr("normalizer is Sequence"));
}

TEST(WordPiece, ABrokenTokenizerJsonIsRefused) {
  const std::string text = read_text(reference("tokens_tokenizer.json"));
  EXPECT_THAT(refusal("wordpiece", text.substr(0, 500)), HasSubstr("no JSON"));
  for (size_t n = 1; n + 1 < text.size(); n += 97) refusal("wordpiece", text.substr(0, n));
  json file = bert();
  file["model"]["vocab"]["a"] = 7;
  EXPECT_THAT(refusal("wordpiece", file.dump()), HasSubstr("each once"));
  file["model"]["vocab"]["a"] = -1;
  EXPECT_THAT(refusal("wordpiece", file.dump()), HasSubstr("not a number"));
  file = bert();
  file["model"]["vocab"].erase("[UNK]");
  EXPECT_FALSE(refusal("wordpiece", (file["added_tokens"] = json::array(), file).dump()).empty());
  file = bert();
  file["added_tokens"][0]["lstrip"] = true;
  EXPECT_THAT(refusal("wordpiece", file.dump()), HasSubstr("'[PAD]' has lstrip"));
}

TEST(SentencePiece, KnowsItsOwnIds) {
  const TokenizerPtr tokens =
      read("sentencepiece", SentencePieceOptions{.file = reference("tokens_unigram.model")});
  EXPECT_EQ(tokens->unknown(), 0);
  EXPECT_EQ(tokens->padding(), 3);
  EXPECT_EQ(tokens->word(1), "<s>");
  EXPECT_EQ(tokens->stored(), read_text(reference("tokens_unigram.model")));
}

TEST(SentencePiece, AFileThatIsNoModelIsRefused) {
  EXPECT_THAT(refusal("sentencepiece", "not a model"), HasSubstr("not a SentencePiece model"));
  EXPECT_THAT(refusal("sentencepiece", ""), HasSubstr("0 bytes"));
  EXPECT_THAT(refusal("sentencepiece", std::string(300, '\0')),
              HasSubstr("not a SentencePiece model"));
}

TEST(SentencePiece, ADamagedModelIsRefusedOrHarmless) {
  const std::string whole = read_text(reference("tokens_unigram.model"));
  TokenizerChoice choice;
  choice.set("sentencepiece", SentencePieceOptions{});
  std::mt19937 random(1);
  int refused = 0;
  for (int n = 0; n < 2000; ++n) {
    std::string bytes = whole;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      const TokenizerPtr tokenizer = choice.make();
      tokenizer->restore(bytes, "damaged");
      tokenizer->encode("Pneumonia of the \ufb01 lung \u3000 caf\u00e9 e\u0301 \u212b 1.");
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::data);
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(SentencePiece, EveryPrefixOfAModelIsAModelOrRefused) {
  const std::string whole = read_text(reference("tokens_unigram.model"));
  TempFolder folder;
  for (size_t n = 0; n < whole.size(); n += 13) {
    const auto path = folder.write("m.model", whole.substr(0, n));
    try {
      read("sentencepiece", SentencePieceOptions{.file = path})->encode("pneumonia ﬁ \u3000x");
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::data) << n;
    }
  }
}

}  // namespace
}  // namespace fovea::text
