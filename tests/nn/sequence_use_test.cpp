// Encoders of text and series in use: what they refuse, and the model around them.
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "fovea/core/error.h"
#include "fovea/nn/model.h"
#include "fovea/nn/summary.h"
#include "nn/one_thread.h"
#include "nn/sequences.h"

namespace fovea::nn {
namespace {

using namespace test_sequences;
using test::OneThread;

std::pair<Fault, std::string> refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return {error.fault(), error.what()};
  }
  return {Fault::internal, "no error"};
}

TEST(SequenceUse, EncodersOfImagesRefuseThem) {
  for (const std::string name : {"resnet", "densenet", "vit", "cnn"}) {
    EncoderChoice choice;
    choice.select(name);
    const auto message = [&](const InputShape& shape) {
      return refusal([&] { choice.make(shape); }).second;
    };
    EXPECT_THAT(message(kText), testing::HasSubstr(name + ": found text [any], wanted an image"));
    EXPECT_THAT(message(kSeries), testing::HasSubstr("found a series [any, 3]"));
    EXPECT_THAT(message({{7}}), testing::HasSubstr("found a table [7]"));
  }
}

TEST(SequenceUse, ASummaryCountsTheStepsOfARecurrentNetwork) {
  const OneThread one_thread;
  ModelOptions options;
  options.encoders.entries.emplace_back("note", EncoderChoice());
  options.encoders.entries[0].second.set("rnn", RnnOptions{.width = 5, .embedding = 6});
  Model model(options, {{"note", kText}}, {{"label", Pooled{2}}}, 1);
  TensorMap inputs, ends;
  inputs["note"] = batch(kText, 0);
  ends["note"] = lengths();
  constexpr int64_t kWeights = 2 * 20 * (6 + 5);  // two directions, four gates of 5
  for (const bool padded : {false, true}) {
    const Summary summary = summarize(model, inputs, padded ? ends : TensorMap());
    int64_t parameters = 0;
    for (const LayerRow& row : summary.rows) parameters += row.parameters;
    EXPECT_EQ(parameters, summary.parameters);
    const auto row = std::ranges::find(summary.rows, "recurrent", &LayerRow::type);
    ASSERT_NE(row, summary.rows.end());
    EXPECT_EQ(row->name, "encoders.note.rnn");
    EXPECT_EQ(row->parameters, kWeights + 2 * 2 * 20);
    EXPECT_EQ(row->multiply_adds, kWeights * (padded ? 3 + 7 + 1 + 5 : 4 * 9));
  }
}

TEST(SequenceUse, EncodersRefuseWhatIsNeitherTextNorASeries) {
  for (const std::string name : {"rnn", "transformer", "text_cnn", "tcn", "resnet1d"}) {
    EncoderChoice choice;
    choice.select(name);
    for (const auto& [shape, found] : std::vector<std::pair<InputShape, std::string>>{
             {{{1, 64, 64}}, "an image [1, 64, 64]"}, {{{12}}, "a table [12]"}}) {
      const auto [fault, message] = refusal([&] { choice.make(shape); });
      EXPECT_EQ(fault, Fault::config);
      EXPECT_THAT(message,
                  testing::HasSubstr(name + ": found " + found + ", wanted text or a series"));
    }
  }
}

TEST(SequenceUse, LengthsThatCannotBeAreRefused) {
  for (const auto& [name, encoder] : all(kSeries)) {
    const auto message = [&](const Tensor& x, const Tensor& ends) {
      return refusal([&] { encoder->encode(x, ends); });
    };
    const Tensor x = torch::zeros({2, 4, 3});
    const auto [fault, empty] = message(x, torch::tensor({4, 0}, torch::kInt64));
    EXPECT_EQ(fault, Fault::data);
    EXPECT_THAT(empty, testing::HasSubstr("found a case of length 0, wanted one token"));
    EXPECT_THAT(message(x, torch::tensor({4, 5}, torch::kInt64)).second,
                testing::HasSubstr("a length of 5 in a batch padded to 4"));
    EXPECT_THAT(message(x, torch::tensor({4}, torch::kInt64)).second,
                testing::HasSubstr("1 lengths of 2 cases"));
    EXPECT_THAT(message(torch::zeros({2, 0, 3}), {}).second, testing::HasSubstr("of length 0"));
  }
  const auto encoder = sequence_transformer({.max_length = 4}, kSeries);
  EXPECT_THAT(refusal([&] {
                encoder->encode(torch::zeros({1, 5, 3}));
              }).second,
              testing::HasSubstr("found 5 tokens or time steps, wanted 4 at most"));
  const auto text = rnn({}, kText);
  EXPECT_THAT(refusal([&] {
                text->encode(torch::zeros({1, 5}));
              }).second,
              testing::HasSubstr("wanted int64 ids"));
}

TEST(SequenceUse, AModelReadsTextAndASeriesWithTheirLengths) {
  const OneThread one_thread;
  ModelOptions options;
  for (const char* name : {"note", "pulse"})
    options.encoders.entries.emplace_back(name, EncoderChoice());
  options.encoders.entries[0].second.set("text_cnn", TextCnnOptions{.channels = 4});
  options.encoders.entries[1].second.set("rnn", RnnOptions{.width = 5});
  Model model(options, {{"note", kText}, {"pulse", kSeries}}, {{"label", Pooled{2}}}, 1);
  model.eval();
  TensorMap inputs, ends;
  inputs["note"] = batch(kText, 19);
  inputs["pulse"] = batch(kSeries, NAN);
  ends["note"] = lengths();
  ends["pulse"] = lengths();
  const Tensor found = model.forward(inputs, ends).at("label");
  EXPECT_EQ(found.sizes(), (std::vector<int64_t>{4, 2}));
  EXPECT_TRUE(found.isfinite().all().item<bool>());
}

}  // namespace
}  // namespace fovea::nn
