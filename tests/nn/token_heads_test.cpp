// Heads on each token, and words that are read with their spelling.
#include <gmock/gmock.h>

#include "fovea/core/error.h"
#include "fovea/nn/model.h"
#include "nn/one_thread.h"
#include "nn/sequences.h"

namespace fovea::nn {
namespace {

using namespace test_sequences;
using testing::HasSubstr;

constexpr int64_t kBytes = 6;
const InputShape kSpelled{.sizes = {-1, 1 + kBytes}, .vocabulary = 20};

/// Four cases of 3, 7, 1 and 5 words, each of 1 to 6 bytes; behind them `padding`.
Tensor spelled(int64_t padding, int64_t bytes = kBytes) {
  Tensor x = torch::zeros({4, 9, 1 + bytes}, torch::kInt64);
  for (int64_t n = 0; n < 4; ++n)
    for (int64_t t = 0; t < 9; ++t) {
      x[n][t][0] = 1 + (n * 7 + t * 3) % 18;
      for (int64_t c = 0; c < 1 + (n + t) % kBytes; ++c) x[n][t][1 + c] = 50 + (n + t * c) % 90;
    }
  for (int64_t n = 0; n < 4; ++n) x[n].slice(0, kEnds[static_cast<size_t>(n)]).fill_(padding);
  return x;
}

Model model(const EncoderChoice& encoder, const InputShape& shape, bool transitions = true) {
  ModelOptions options;
  options.encoders.entries = {{"note", encoder}};
  return {options, {{"note", shape}}, {{"tags", PerToken{"note", 3, transitions}}}, 1};
}

EncoderChoice choice(const std::string& name) {
  EncoderChoice encoder;
  encoder.select(name);
  return encoder;
}

TEST(TokenHeads, GiveAnOutputForEachTokenAndTheTransitionsOfTheTarget) {
  Model tagger = model(choice("rnn"), kText);
  TensorMap inputs, ends;
  inputs["note"] = batch(kText, 0);
  ends["note"] = lengths();
  const Outputs outputs = tagger.forward(inputs, ends);
  EXPECT_EQ(outputs.at("tags").sizes(), (std::vector<int64_t>{4, 9, 3}));
  EXPECT_TRUE(torch::equal(outputs.lengths.at("tags"), lengths()));
  EXPECT_EQ(outputs.transitions.at("tags").sizes(), (std::vector<int64_t>{4, 4}));
  EXPECT_TRUE(tagger.named_parameters().contains("heads.tags.transitions"));
  EXPECT_FALSE(model(choice("rnn"), kText, false).forward(inputs).transitions.contains("tags"));
}

TEST(TokenHeads, WantAnEncoderThatGivesTokens) {
  TensorMap inputs;
  inputs["note"] = batch(kText, 0);
  const auto message = [&](auto act) -> std::string {
    try {
      act();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message([&] { model(choice("text_cnn"), kText).forward(inputs); }),
              HasSubstr("gives no tokens; encoders that do: rnn"));
  EXPECT_THAT(message([&] {
                ModelOptions options;
                options.encoders.entries = {{"note", choice("rnn")}};
                Model(options, {{"note", kText}}, {{"tags", PerToken{"report", 3}}}, 1);
              }),
              HasSubstr("'report', for which there is no encoder"));
}

TEST(Spelling, PaddingChangesNothingInAnyEncoderWhateverStandsThere) {
  const test::OneThread one_thread;
  for (const std::string name : {"rnn", "transformer", "tcn", "text_cnn"}) {
    const EncoderPtr encoder = choice(name).make(kSpelled);
    initialize(*encoder, 3);
    encoder->eval();
    const Tensor zeros = encoder->encode(spelled(0), lengths()).pooled;
    EXPECT_TRUE(torch::equal(zeros, encoder->encode(spelled(17), lengths()).pooled)) << name;
    for (int64_t n = 0; n < 4; ++n) {
      const Tensor alone = spelled(0).slice(0, n, n + 1).slice(1, 0, kEnds[static_cast<size_t>(n)]);
      // One case at a time sums in another order: 1e-5 of values around 1.
      EXPECT_LT((encoder->encode(alone).pooled[0] - zeros[n]).abs().max().item<double>(), 1e-5)
          << name;
    }
  }
}

TEST(Spelling, ZerosBehindAWordChangeNothing) {
  Spelling spelling(8);
  initialize(spelling, 3);
  const Tensor narrow = spelling.forward(spelled(0).slice(2, 1));
  const Tensor wide = spelling.forward(spelled(0, 20).slice(2, 1));
  EXPECT_LT((narrow - wide).abs().max().item<double>(), 1e-5);
}

TEST(Spelling, TellsUnknownWordsApart) {
  const EncoderPtr encoder = choice("rnn").make(kSpelled);
  initialize(*encoder, 3);
  Tensor words = spelled(0).slice(0, 0, 2).slice(1, 0, 3).clone();
  words.select(2, 0).fill_(1);  // both unknown
  const Tensor found = encoder->encode(words).pooled;
  EXPECT_GT((found[0] - found[1]).abs().max().item<double>(), 1e-3);
}

}  // namespace
}  // namespace fovea::nn
