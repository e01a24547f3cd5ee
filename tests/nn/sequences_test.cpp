// What every encoder of text and series must keep: padding changes nothing.
#include "nn/sequences.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "nn/one_thread.h"

namespace fovea::nn {
namespace {

using namespace test_sequences;
using test::OneThread;

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
      const bool weighs = std::ranges::any_of(
          std::array{"attention", "class_token", "pooler"},
          [&](const char* pooling) { return name.find(pooling) != std::string::npos; });
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
        const Tensor vectors =
            together.at(name.starts_with("bert") ? "embeddings.word_embeddings.weight"
                                                 : "input.embedding.weight");
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

TEST(Sequences, EveryParameterIsInitializedAndTheOrderMatters) {
  const OneThread one_thread;
  torch::NoGradGuard no_grad;
  for (const InputShape& shape : {kText, kSeries}) {
    const Tensor x = batch(shape, 0).slice(0, 1, 2).slice(1, 0, 7);
    for (const auto& [name, encoder] : all(shape)) {
      const Tensor before = encoder->encode(x).pooled;
      for (Tensor& parameter : encoder->parameters()) parameter.fill_(NAN);
      initialize(*encoder, 5);
      EXPECT_TRUE(encoder->encode(x).pooled.equal(before)) << name;
      const double moved = furthest(encoder->encode(x.flip(1)).pooled, before);
      if (name.starts_with("dan"))  // a bag of words
        EXPECT_LT(moved, 1e-6) << name;
      else
        EXPECT_GT(moved, 1e-6) << name;
    }
  }
}

TEST(Sequences, WordDropoutMakesWordsUnknownWhileTrainingOnly) {
  const OneThread one_thread;
  torch::NoGradGuard no_grad;
  const EncoderPtr encoder =
      dan({.embedding = 6, .pooling = "mean", .token_dropout = {.words = 0.999999}}, kText);
  initialize(*encoder, 5);
  const Tensor words = torch::tensor({{5, 6, 7}}), unknown = torch::tensor({{1, 1, 1}});
  encoder->train();
  EXPECT_TRUE(encoder->encode(words).pooled.equal(encoder->encode(unknown).pooled));
  encoder->eval();
  EXPECT_FALSE(encoder->encode(words).pooled.equal(encoder->encode(unknown).pooled));
}

TEST(Sequences, StatisticsOfABatchAreThoseOfItsStepsAndNotOfPadding) {
  const OneThread one_thread;
  torch::NoGradGuard no_grad;
  const Tensor x = batch(kSeries, junk(kSeries));
  const auto trained = [](const Tensor& input) {
    auto encoder = resnet1d({.width = 4, .blocks = {1, 1}, .kernel = 3, .dropout = 0}, kSeries);
    initialize(*encoder, 5);
    encoder->train();
    std::vector<Tensor> result{encoder->encode(input, lengths()).pooled};
    for (const Tensor& buffer : encoder->buffers()) result.push_back(buffer);
    return result;
  };
  const auto found = trained(x), longer = trained(at::constant_pad_nd(x, {0, 0, 0, 6}, 7));
  ASSERT_EQ(found.size(), longer.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_LT(furthest(found[i], longer[i]), 1e-5);
  // The first statistics by hand: of a convolution over each case alone.
  auto encoder = resnet1d({.width = 4, .blocks = {1, 1}, .kernel = 3, .dropout = 0}, kSeries);
  initialize(*encoder, 5);
  const Tensor weight = encoder->named_parameters()["stem.conv.weight"];
  std::vector<Tensor> steps;
  for (int64_t n = 0; n < 4; ++n)
    steps.push_back(at::conv1d(x.slice(0, n, n + 1).slice(1, 0, kEnds[n]).transpose(1, 2), weight,
                               {}, {1}, {1})[0]);
  encoder->train();
  encoder->encode(x, lengths());
  EXPECT_LT(furthest(encoder->named_buffers()["stem.norm.running_mean"],
                     torch::cat(steps, 1).mean(1) * 0.1),
            1e-6);
}

TEST(Sequences, PaddedTextBeginsWithZeros) {
  const auto encoder = tcn({.embedding = 4}, kText);
  initialize(*encoder, 1);
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

}  // namespace
}  // namespace fovea::nn
