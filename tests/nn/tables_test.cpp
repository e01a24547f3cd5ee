// Encoders of tables.
#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/nn/encoders/ft_transformer.h"
#include "fovea/nn/encoders/mlp.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/weights.h"
#include "nn/formula.h"
#include "nn/one_thread.h"
#include "nn/refusal.h"

namespace fovea::nn {
namespace {

using test::config_message;
using test::formula;
using torch::Tensor;

/// Two numbers among columns of 3 and 120 categories.
const InputShape kMixed{.sizes = {4}, .categories = {3, 0, 120, 0}};

Tensor rows() {
  return torch::tensor({2.0, 0.5, 119.0, -1.0, 0.0, -2.0, 7.0, 0.25}, torch::kFloat64).view({2, 4});
}

EncoderPtr filled(const EncoderPtr& encoder) {
  encoder->to(torch::kFloat64);
  encoder->eval();
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state(*encoder)) Tensor(tensor).copy_(formula(name, tensor.sizes()));
  return encoder;
}

Tensor parameter(const Encoder& encoder, const std::string& name) {
  return encoder.named_parameters()[name].detach();
}

/// Of the last axis, written with plain sums.
Tensor normed(const Tensor& x, const Encoder& encoder, const std::string& name) {
  const Tensor centred = x - x.mean(-1, true);
  const Tensor deviation = (centred.square().mean(-1, true) + 1e-5).sqrt();
  return centred / deviation * parameter(encoder, name + ".weight") +
         parameter(encoder, name + ".bias");
}

Tensor affine(const Tensor& x, const Encoder& encoder, const std::string& name) {
  return x.matmul(parameter(encoder, name + ".weight").t()) + parameter(encoder, name + ".bias");
}

constexpr double kWeights = 1e-6;  // they are kept in fp32

void expect_close(const Tensor& found, const Tensor& wanted, double tolerance = 1e-12) {
  ASSERT_EQ(found.sizes(), wanted.sizes());
  EXPECT_LT((found - wanted).abs().max().item<double>(), tolerance);
}

TEST(Tables, AnMlpReadsNumbersThenTheVectorsOfCategories) {
  const auto encoder = filled(mlp({.hidden = {6, 5}}, kMixed));
  EXPECT_EQ(encoder->width(), 5);
  const Tensor first = parameter(*encoder, "embedding0.weight");
  const Tensor second = parameter(*encoder, "embedding1.weight");
  EXPECT_EQ(first.sizes(), (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(second.sizes(), (std::vector<int64_t>{120, 50}));
  const Tensor found = encoder->encode(rows()).pooled.detach();
  const std::vector<std::array<double, 2>> numbers = {{0.5, -1.0}, {-2.0, 0.25}};
  const std::vector<std::array<int64_t, 2>> categories = {{2, 119}, {0, 7}};
  for (int64_t n = 0; n < 2; ++n) {
    Tensor x = at::cat({torch::tensor({numbers[n][0], numbers[n][1]}, torch::kFloat64),
                        first[categories[n][0]], second[categories[n][1]]});
    x = affine(x, *encoder, "layer0").clamp_min(0);
    x = affine(x, *encoder, "layer1").clamp_min(0);
    expect_close(found[n], x);
  }
  const auto set = mlp({.embedding = 7}, kMixed);
  EXPECT_EQ(parameter(*set, "embedding1.weight").size(1), 7);
}

// One block and one head, written out.
TEST(Tables, AnFtTransformerIsThePapersFormula) {
  const auto encoder =
      filled(ft_transformer({.width = 6, .depth = 1, .heads = 1, .ffn_factor = 1.5}, kMixed));
  const Tensor weight = parameter(*encoder, "tokenizer.weight");
  const Tensor category = parameter(*encoder, "tokenizer.categories");
  const Tensor bias = parameter(*encoder, "tokenizer.bias");
  EXPECT_EQ(category.size(0), 123);
  const Features found = encoder->encode(rows());
  const std::vector<std::array<double, 4>> values = {{2, 0.5, 119, -1.0}, {0, -2.0, 7, 0.25}};
  for (int64_t n = 0; n < 2; ++n) {
    const auto& v = values[n];
    Tensor x =
        at::stack({parameter(*encoder, "cls_token").flatten(),
                   category[static_cast<int64_t>(v[0])] + bias[0], weight[0] * v[1] + bias[1],
                   category[3 + static_cast<int64_t>(v[2])] + bias[2], weight[1] * v[3] + bias[3]});
    const auto qkv = affine(x, *encoder, "blocks.0.attn.qkv").chunk(3, 1);  // no norm before
    const Tensor scores = (qkv[0].matmul(qkv[1].t()) / std::sqrt(6.0)).exp();
    const Tensor weights = scores / scores.sum(1, true);
    x = x + affine(weights.matmul(qkv[2]), *encoder, "blocks.0.attn.proj");
    const Tensor hidden =
        affine(normed(x, *encoder, "blocks.0.norm2"), *encoder, "blocks.0.mlp.fc1");
    ASSERT_EQ(hidden.size(1), 18);
    x = x + affine(hidden.slice(1, 0, 9) * hidden.slice(1, 9).clamp_min(0), *encoder,
                   "blocks.0.mlp.fc2");
    expect_close(found.tokens[n].detach(), x.slice(0, 1));
    expect_close(found.pooled[n].detach(), normed(x[0], *encoder, "norm").clamp_min(0));
    expect_close(found.weights[n], weights[0].slice(0, 1) / weights[0].slice(0, 1).sum(), kWeights);
  }
}

TEST(Tables, TheWeightsOfColumnsFollowThemAndSumToOne) {
  const auto encoder = filled(ft_transformer({.width = 16, .heads = 4}, {.sizes = {5}}));
  const Features features = encoder->encode(formula("x", {7, 5}).to(torch::kFloat64));
  EXPECT_EQ(features.weights.sizes(), (std::vector<int64_t>{7, 5}));
  expect_close(features.weights.sum(1), torch::ones({7}), kWeights);
  EXPECT_GT(features.weights.min().item<double>(), 0);
  EXPECT_EQ(features.pooled.sizes(), (std::vector<int64_t>{7, 16}));
  EXPECT_EQ(features.tokens.sizes(), (std::vector<int64_t>{7, 5, 16}));
}

std::vector<std::pair<std::string, EncoderPtr>> on(const InputShape& shape) {
  return {{"mlp", mlp({}, shape)}, {"ft_transformer", ft_transformer({}, shape)}};
}

TEST(Tables, EveryColumnMattersAndEveryParameterIsInitializedAndTrained) {
  const test::OneThread one_thread;
  for (const InputShape& shape :
       {kMixed, InputShape{.sizes = {4}}, InputShape{.sizes = {4}, .categories = {3, 3, 120, 9}}}) {
    Tensor x = rows().to(torch::kFloat32);
    if (shape.categories.size() == 4 && shape.categories[1] > 0) x = x.abs().floor();
    for (const auto& [name, encoder] : on(shape)) {
      torch::NoGradGuard no_grad;
      for (Tensor& p : encoder->parameters()) p.fill_(NAN);
      initialize(*encoder, 3);
      encoder->eval();
      const Tensor before = encoder->encode(x).pooled;
      ASSERT_TRUE(before.isfinite().all().item<bool>()) << name;
      for (int64_t column = 0; column < 4; ++column) {
        Tensor other = x.clone();
        other.select(1, column).copy_(1 - other.select(1, column).clamp(0, 1));
        EXPECT_FALSE(encoder->encode(other).pooled.allclose(before)) << name << " " << column;
      }
      torch::AutoGradMode grad(true);
      encoder->encode(x).pooled.square().sum().backward();
      for (const auto& item : encoder->named_parameters())
        EXPECT_TRUE(item.value().grad().defined()) << name << " " << item.key();
    }
  }
}

TEST(Tables, ABatchIsItsCasesAndDropoutIsOnlyForTraining) {
  for (const auto& [name, encoder] : on(kMixed)) {
    filled(encoder);
    const Tensor together = encoder->encode(rows()).pooled;
    for (int64_t n = 0; n < 2; ++n)
      expect_close(encoder->encode(rows().slice(0, n, n + 1)).pooled, together.slice(0, n, n + 1));
  }
  const auto dropping = filled(mlp({.dropout = 0.5}, kMixed));
  EXPECT_TRUE(dropping->encode(rows()).pooled.equal(dropping->encode(rows()).pooled));
  dropping->train();
  EXPECT_FALSE(dropping->encode(rows()).pooled.equal(dropping->encode(rows()).pooled));
}

// As in the paper.
TEST(Tables, WhatMakesTokensOfColumnsIsNotDecayed) {
  ModelOptions options;
  options.encoders.entries.emplace_back("row", EncoderChoice());
  options.encoders.entries[0].second.select("ft_transformer");
  const Model model(options, {{"row", kMixed}}, {{"label", Pooled{2}}}, 1);
  int found = 0;
  for (const ParameterGroup& group : parameter_groups(model))
    for (const auto& [name, parameter] : group.parameters) {
      if (name.find(".tokenizer.") == std::string::npos) continue;
      ++found;
      EXPECT_FALSE(group.decay) << name;
    }
  EXPECT_EQ(found, 3);
}

TEST(Tables, EncodersRunInMixedPrecision) {
  const test::OneThread one_thread;
  for (const auto& [name, encoder] : on(kMixed)) {
    initialize(*encoder, 3);
    encoder->eval();
    const Tensor x = rows().to(torch::kFloat32);
    const Tensor exact = encoder->encode(x).pooled.detach();
    at::autocast::set_autocast_enabled(at::kCPU, true);
    const Tensor half = encoder->encode(x).pooled.to(torch::kFloat32);
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    half.square().sum().backward();
    EXPECT_LT((half.detach() - exact).norm().item<double>(), 0.05 * exact.norm().item<double>())
        << name;
  }
}

TEST(Tables, EncodersRefuseWhatIsNoTable) {
  const InputShape image{{1, 64, 64}}, text{.sizes = {-1}, .vocabulary = 9}, series{{-1, 3}};
  EXPECT_THAT(config_message([&] { mlp({}, image); }),
              testing::HasSubstr("mlp: found an image [1, 64, 64], wanted a table"));
  EXPECT_THAT(config_message([&] { ft_transformer({}, series); }),
              testing::HasSubstr("ft_transformer: found a series [any, 3], wanted a table"));
  EXPECT_THAT(config_message([&] { mlp({}, text); }), testing::HasSubstr("found text"));
  EXPECT_THAT(config_message([&] { mlp({.hidden = {}}, kMixed); }),
              testing::HasSubstr("no hidden layer"));
  EXPECT_THAT(config_message([&] { ft_transformer({.heads = 5}, kMixed); }),
              testing::HasSubstr("found width 64 and 5 heads"));
  EXPECT_THAT(config_message([&] { mlp({}, {.sizes = {2}, .categories = {3}}); }),
              testing::HasSubstr("types of 1 columns, wanted 2"));
}

}  // namespace
}  // namespace fovea::nn
