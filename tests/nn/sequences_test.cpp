// What every encoder of text and series must keep: padding changes nothing.
#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <torch/nn.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "fovea/core/error.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/model.h"
#include "fovea/nn/rnn.h"
#include "fovea/nn/sequence_transformer.h"
#include "fovea/nn/summary.h"
#include "fovea/nn/tcn.h"
#include "fovea/nn/text_cnn.h"
#include "nn/formula.h"

namespace fovea::nn {
namespace {

using test::formula;
using torch::Tensor;

const InputShape kText{.sizes = {-1}, .vocabulary = 20};
const InputShape kSeries{{-1, 3}};

/// Tensors as small as here are not worth a team of threads, which would wait for one another.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(threads_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int threads_ = at::get_num_threads();
};

struct Made {
  std::string name;
  EncoderPtr encoder;
};

std::vector<Made> all(const InputShape& shape) {
  std::vector<Made> made;
  const auto add = [&](const std::string& name, const EncoderPtr& encoder) {
    draw(*encoder, 5);
    encoder->eval();
    made.push_back({name, encoder});
  };
  for (const std::string cell : {"lstm", "gru", "rnn"})
    for (const std::string& pooling : sequence_pooling_names())
      for (const bool both : {true, false})
        add(cell + " " + pooling + (both ? " both" : ""), rnn({.cell = cell,
                                                               .width = 8,
                                                               .depth = 2,
                                                               .bidirectional = both,
                                                               .embedding = 6,
                                                               .pooling = pooling},
                                                              shape));
  for (const std::string positions : {"learned", "sinusoidal"})
    for (const std::string norm : {"pre", "post"})
      for (const std::string pooling : {"class_token", "mean", "attention"})
        add("transformer " + positions + " " + norm + " " + pooling,
            sequence_transformer({.width = 16,
                                  .heads = 2,
                                  .positions = positions,
                                  .max_length = 9,
                                  .norm = norm,
                                  .pooling = pooling},
                                 shape));
  add("text_cnn", text_cnn({.channels = 6, .embedding = 5}, shape));
  for (const std::string& pooling : sequence_pooling_names())
    add("tcn " + pooling, tcn({.channels = {6, 6, 8}, .embedding = 5, .pooling = pooling}, shape));
  return made;
}

const std::vector<int64_t> kEnds{3, 7, 1, 5};

Tensor lengths() { return torch::tensor(kEnds, torch::kInt64); }

/// Four cases of up to 7 in a batch of 9; what follows a case is `padding`.
Tensor batch(const InputShape& shape, double padding) {
  Tensor x;
  if (shape.vocabulary > 0)
    x = (formula("ids", {4, 9}).abs() * 1000).to(torch::kInt64).remainder(17) + 1;
  else
    x = formula("x", {4, 9, 3});
  for (int64_t n = 0; n < 4; ++n) x[n].slice(0, kEnds[n]).fill_(padding);
  return x;
}

/// Ids that no case has, and what no value may touch.
double junk(const InputShape& shape) { return shape.vocabulary > 0 ? 19 : NAN; }

double furthest(const Tensor& a, const Tensor& b) {
  return (a.detach() - b.detach()).abs().max().item<double>();
}

TEST(Sequences, PaddingNeverChangesAResult) {
  const OneThread one_thread;
  torch::NoGradGuard no_grad;
  for (const InputShape& shape : {kText, kSeries}) {
    const Tensor x = batch(shape, junk(shape));
    for (const auto& [name, encoder] : all(shape)) {
      const Features found = encoder->encode(x, lengths());
      ASSERT_EQ(found.pooled.sizes(), (std::vector<int64_t>{4, encoder->width()})) << name;
      EXPECT_GT(furthest(found.pooled[0], found.pooled[1]), 1e-4) << name;
      for (int64_t n = 0; n < 4; ++n) {
        const Features alone = encoder->encode(x.slice(0, n, n + 1).slice(1, 0, kEnds[n]));
        EXPECT_LT(furthest(found.pooled[n], alone.pooled[0]), 1e-6) << name << " " << n;
        if (found.tokens.defined()) {
          ASSERT_EQ(found.tokens.size(1), 9) << name;
          EXPECT_LT(furthest(found.tokens[n].slice(0, 0, kEnds[n]), alone.tokens[0]), 1e-6)
              << name << " " << n;
          EXPECT_TRUE(found.tokens[n].slice(0, kEnds[n]).eq(0).all().item<bool>()) << name;
        }
        if (found.weights.defined()) {
          EXPECT_LT(furthest(found.weights[n].slice(0, 0, kEnds[n]), alone.weights[0]), 1e-6);
          EXPECT_TRUE(found.weights[n].slice(0, kEnds[n]).eq(0).all().item<bool>()) << name;
          EXPECT_NEAR(found.weights[n].sum().item<double>(), 1, 1e-6) << name;
        }
      }
      const bool weighs = name.find("attention") != std::string::npos ||
                          name.find("class_token") != std::string::npos;
      EXPECT_EQ(found.weights.defined(), weighs) << name;
    }
  }
}

/// Gradients by parameter of a loss that weighs every case apart.
std::map<std::string, Tensor> gradients(Encoder& encoder, const Tensor& x, const Tensor& lengths,
                                        int64_t first) {
  encoder.zero_grad();
  const Tensor pooled = encoder.encode(x, lengths).pooled;
  const Tensor weights = formula("loss", {4, pooled.size(1)}).to(torch::kFloat64);
  (pooled * weights.slice(0, first, first + pooled.size(0))).sum().backward();
  std::map<std::string, Tensor> result;
  for (const auto& item : encoder.named_parameters())
    result[item.key()] = item.value().grad().defined() ? item.value().grad().clone()
                                                       : torch::zeros_like(item.value());
  return result;
}

TEST(Sequences, NoGradientComesFromPadding) {
  const OneThread one_thread;
  for (const InputShape& shape : {kText, kSeries}) {
    for (const auto& [name, encoder] : all(shape)) {
      encoder->to(torch::kFloat64);
      Tensor x = batch(shape, junk(shape));
      if (shape.vocabulary == 0) x = x.to(torch::kFloat64).requires_grad_();
      const auto together = gradients(*encoder, x, lengths(), 0);
      for (int64_t n = 0; n < 4 && shape.vocabulary == 0; ++n) {
        EXPECT_TRUE(x.grad()[n].slice(0, kEnds[n]).eq(0).all().item<bool>()) << name;
        EXPECT_GT(x.grad()[n].abs().max().item<double>(), 0) << name;
      }
      if (shape.vocabulary > 0) {
        const Tensor vectors = together.at("input.embedding.weight");
        EXPECT_TRUE(vectors[19].eq(0).all().item<bool>()) << name;
        EXPECT_TRUE(vectors[0].eq(0).all().item<bool>()) << name;
      }
      std::map<std::string, Tensor> apart;
      for (int64_t n = 0; n < 4; ++n) {
        const Tensor one = x.detach().slice(0, n, n + 1).slice(1, 0, kEnds[n]);
        for (const auto& [key, gradient] : gradients(*encoder, one, {}, n))
          apart[key] = apart.contains(key) ? apart[key] + gradient : gradient;
      }
      for (const auto& [key, gradient] : together)
        EXPECT_LT(furthest(gradient, apart.at(key)),
                  1e-9 * std::max(1.0, gradient.abs().max().item<double>()))
            << name << " " << key;
    }
  }
}

TEST(Sequences, EveryParameterIsDrawnAndTheOrderMatters) {
  torch::NoGradGuard no_grad;
  for (const InputShape& shape : {kText, kSeries}) {
    const Tensor x = batch(shape, 0).slice(0, 1, 2).slice(1, 0, 7);
    for (const auto& [name, encoder] : all(shape)) {
      const Tensor before = encoder->encode(x).pooled;
      for (Tensor& parameter : encoder->parameters()) parameter.fill_(NAN);
      draw(*encoder, 5);
      EXPECT_TRUE(encoder->encode(x).pooled.equal(before)) << name;
      EXPECT_GT(furthest(encoder->encode(x.flip(1)).pooled, before), 1e-6) << name;
    }
  }
}

TEST(Sequences, PaddedTextBeginsWithZeros) {
  const auto encoder = tcn({.embedding = 4}, kText);
  draw(*encoder, 1);
  const Tensor vectors = encoder->named_parameters()["input.embedding.weight"];
  EXPECT_TRUE(vectors[0].eq(0).all().item<bool>());
  Embedding embedding(5, 3, 1, /*padded=*/true);
  torch::NoGradGuard no_grad;
  embedding.weight.fill_(2);  // weights from elsewhere
  EXPECT_TRUE(embedding.forward(torch::tensor({0, 4}, torch::kInt64))
                  .equal(torch::tensor({{0.f, 0.f, 0.f}, {2.f, 2.f, 2.f}})));
}

TEST(Sequences, EncodersRunInMixedPrecision) {
  const OneThread one_thread;
  for (const InputShape& shape : {kText, kSeries}) {
    const Tensor x = batch(shape, 0);
    for (const auto& [name, encoder] : all(shape)) {
      const Tensor exact = encoder->encode(x, lengths()).pooled.detach();
      at::autocast::set_autocast_enabled(at::kCPU, true);
      Tensor half;
      EXPECT_NO_THROW(half = encoder->encode(x, lengths()).pooled.to(torch::kFloat32)) << name;
      at::autocast::clear_cache();
      at::autocast::set_autocast_enabled(at::kCPU, false);
      if (!half.defined()) continue;
      half.square().sum().backward();
      EXPECT_LT((half.detach() - exact).norm().item<double>(), 0.1 * exact.norm().item<double>())
          << name;
    }
  }
}

std::pair<Fault, std::string> refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return {error.fault(), error.what()};
  }
  return {Fault::internal, "no error"};
}

TEST(Sequences, EncodersOfPicturesRefuseThem) {
  for (const std::string name : {"resnet", "densenet", "vit", "cnn"}) {
    EncoderChoice choice;
    choice.select(name);
    const auto message = [&](const InputShape& shape) {
      return refusal([&] { choice.make(shape); }).second;
    };
    EXPECT_THAT(message(kText), testing::HasSubstr(name + ": found text [any], wanted a picture"));
    EXPECT_THAT(message(kSeries), testing::HasSubstr("found a series [any, 3]"));
    EXPECT_THAT(message({{7}}), testing::HasSubstr("found a table [7]"));
  }
}

TEST(Sequences, ASummaryCountsTheStepsOfARecurrentNetwork) {
  ModelOptions options;
  options.encoders.entries.emplace_back("note", EncoderChoice());
  options.encoders.entries[0].second.set("rnn", RnnOptions{.width = 5, .embedding = 6});
  Model model(options, {{"note", kText}}, {{"label", 2}}, 1);
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

TEST(Sequences, EncodersRefuseWhatIsNeitherTextNorASeries) {
  for (const std::string name : {"rnn", "transformer", "text_cnn", "tcn"}) {
    EncoderChoice choice;
    choice.select(name);
    for (const auto& [shape, found] : std::vector<std::pair<InputShape, std::string>>{
             {{{1, 64, 64}}, "a picture [1, 64, 64]"}, {{{12}}, "a table [12]"}}) {
      const auto [fault, message] = refusal([&] { choice.make(shape); });
      EXPECT_EQ(fault, Fault::config);
      EXPECT_THAT(message,
                  testing::HasSubstr(name + ": found " + found + ", wanted text or a series"));
    }
  }
}

TEST(Sequences, LengthsThatCannotBeAreRefused) {
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

TEST(Sequences, AModelReadsTextAndASeriesWithTheirLengths) {
  ModelOptions options;
  for (const char* name : {"note", "pulse"})
    options.encoders.entries.emplace_back(name, EncoderChoice());
  options.encoders.entries[0].second.set("text_cnn", TextCnnOptions{.channels = 4});
  options.encoders.entries[1].second.set("rnn", RnnOptions{.width = 5});
  Model model(options, {{"note", kText}, {"pulse", kSeries}}, {{"label", 2}}, 1);
  model.eval();
  TensorMap inputs, ends;
  inputs["note"] = batch(kText, 19);
  inputs["pulse"] = batch(kSeries, NAN);
  ends["note"] = ends["pulse"] = lengths();
  const Tensor found = model.forward(inputs, ends).at("label");
  EXPECT_EQ(found.sizes(), (std::vector<int64_t>{4, 2}));
  EXPECT_TRUE(found.isfinite().all().item<bool>());
}

}  // namespace
}  // namespace fovea::nn
