// Encoders of text and series against their papers' formulas, written with plain loops.
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include <cmath>

#include "fovea/nn/encoders/resnet1d.h"
#include "fovea/nn/encoders/sequence_transformer.h"
#include "fovea/nn/encoders/tcn.h"
#include "fovea/nn/encoders/text_cnn.h"
#include "nn/formula.h"

namespace fovea::nn {
namespace {

using test::formula;
using torch::Tensor;

const InputShape kSeries{{-1, 3}};

void fill(torch::nn::Module& module) {
  module.to(torch::kFloat64);
  module.eval();
  torch::NoGradGuard no_grad;
  for (auto& item : module.named_parameters())
    item.value().copy_(formula(item.key(), item.value().sizes()));
}

Tensor series(int64_t length) { return formula("x", {1, length, 3}).to(torch::kFloat64); }

double at_(const Tensor& x, std::initializer_list<int64_t> place) {
  Tensor found = x;
  for (const int64_t i : place) found = found[i];
  return found.item<double>();
}

/// bias + the sum over inputs i and taps j of w[o][i][j] x[t + (j - last) dilation][i], zeros outside.
double convolved(const Tensor& x, const Tensor& w, double bias, int64_t o, int64_t t,
                 int64_t dilation) {
  double sum = bias;
  for (int64_t i = 0; i < w.size(1); ++i)
    for (int64_t j = 0; j < w.size(2); ++j) {
      const int64_t from = t + (j - w.size(2) + 1) * dilation;
      if (from >= 0 && from < x.size(0)) sum += at_(w, {o, i, j}) * at_(x, {from, i});
    }
  return sum;
}

TEST(SequenceFormulas, AttentionPoolingIsBahdanaus) {
  SequencePooling pooling("attention", 3);
  fill(pooling);
  torch::NoGradGuard no_grad;
  const auto parameters = pooling.named_parameters();
  const Tensor x = formula("x", {2, 4, 3}).to(torch::kFloat64);
  const Padding padding{
      .lengths = torch::tensor({4, 2}, torch::kInt64),
      .mask = torch::tensor({1, 1, 1, 1, 1, 1, 0, 0}).view({2, 4}).to(torch::kBool)};
  const auto found = pooling.forward(padding.clear(x), padding);
  for (int64_t n = 0; n < 2; ++n) {
    std::vector<double> weights;
    double total = 0;
    for (int64_t t = 0; t < (n == 0 ? 4 : 2); ++t) {
      double score = 0;
      for (int64_t o = 0; o < 3; ++o) {
        double hidden = at_(parameters["hidden.bias"], {o});
        for (int64_t i = 0; i < 3; ++i)
          hidden += at_(parameters["hidden.weight"], {o, i}) * at_(x, {n, t, i});
        score += at_(parameters["score.weight"], {0, o}) * std::tanh(hidden);
      }
      weights.push_back(std::exp(score));
      total += weights.back();
    }
    for (int64_t i = 0; i < 3; ++i) {
      double mean = 0;
      for (size_t t = 0; t < weights.size(); ++t)
        mean += weights[t] / total * at_(x, {n, static_cast<int64_t>(t), i});
      EXPECT_NEAR(at_(found.pooled, {n, i}), mean, 1e-12);
    }
    for (size_t t = 0; t < weights.size(); ++t)
      EXPECT_NEAR(at_(found.weights, {n, static_cast<int64_t>(t)}), weights[t] / total, 1e-12);
  }
}

TEST(SequenceFormulas, OtherPoolingsReadTokensOnly) {
  const Tensor x =
      torch::tensor({-3.0, -1.0, 0.0, -5.0, -2.0, -4.0}, torch::kFloat64).view({2, 3, 1});
  const Padding padding{.lengths = torch::tensor({2, 3}, torch::kInt64),
                        .mask = torch::tensor({1, 1, 0, 1, 1, 1}).view({2, 3}).to(torch::kBool)};
  const auto pooled = [&](const char* type) {
    return SequencePooling(type, 1).forward(x, padding).pooled.flatten();
  };
  const auto wanted = [](double a, double b) { return torch::tensor({a, b}, torch::kFloat64); };
  EXPECT_TRUE(pooled("last").equal(wanted(-1, -4)));
  EXPECT_TRUE(pooled("mean").allclose(wanted(-2, -11.0 / 3)));
  EXPECT_TRUE(pooled("max").equal(wanted(-1, -2)));
}

TEST(SequenceFormulas, ATextCnnTakesTheLargestWindow) {
  const auto encoder = text_cnn({.kernels = {2, 4}, .channels = 3}, kSeries);
  fill(*encoder);
  torch::NoGradGuard no_grad;
  const auto parameters = encoder->named_parameters();
  for (const int64_t length : {1, 3, 6}) {
    const Tensor x = series(length);
    const Tensor found = encoder->encode(x).pooled;
    ASSERT_EQ(found.size(1), 6);
    for (int64_t kernel = 0; kernel < 2; ++kernel) {
      const std::string name = "conv" + std::to_string(kernel);
      const Tensor w = parameters[name + ".weight"];
      for (int64_t o = 0; o < 3; ++o) {
        double most = 0;  // of ReLU
        const int64_t windows = std::max<int64_t>(1, length - w.size(2) + 1);
        for (int64_t start = 0; start < windows; ++start)
          most = std::max(most, convolved(x[0], w, at_(parameters[name + ".bias"], {o}), o,
                                          start + w.size(2) - 1, 1));
        EXPECT_NEAR(at_(found, {0, kernel * 3 + o}), most, 1e-12) << length;
      }
    }
  }
}

TEST(SequenceFormulas, ATcnIsDilatedCausalConvolutionsWithResiduals) {
  const auto encoder = tcn({.channels = {3, 4}, .kernel = 2}, kSeries);
  fill(*encoder);
  torch::NoGradGuard no_grad;
  const auto parameters = encoder->named_parameters();
  Tensor x = series(8)[0];
  const Tensor found = encoder->encode(series(8)).tokens[0];
  for (int64_t block = 0; block < 2; ++block) {
    const std::string prefix = "block" + std::to_string(block) + ".";
    Tensor y = x;
    for (const char* conv : {"conv1", "conv2"}) {
      const Tensor v = parameters[prefix + conv + ".weight_v"];
      const Tensor g = parameters[prefix + conv + ".weight_g"];
      const Tensor next = torch::empty({8, v.size(0)}, torch::kFloat64);
      for (int64_t o = 0; o < v.size(0); ++o) {
        const Tensor w = v * (at_(g, {o, 0, 0}) / v[o].norm().item<double>());
        for (int64_t t = 0; t < 8; ++t)
          next[t][o] = std::max(
              0.0, convolved(y, w, at_(parameters[prefix + conv + ".bias"], {o}), o, t, block + 1));
      }
      y = next;
    }
    if (block == 1)
      x = x.matmul(parameters[prefix + "shortcut.weight"].squeeze(2).t()) +
          parameters[prefix + "shortcut.bias"];
    x = (y + x).clamp_min(0);
  }
  EXPECT_LT((found - x).abs().max().item<double>(), 1e-12);
}

TEST(SequenceFormulas, AResNetAlongTimeHalvesItInEachStageButTheFirst) {
  const auto encoder = resnet1d({.width = 2, .blocks = {1, 1}, .kernel = 3}, kSeries);
  fill(*encoder);
  torch::NoGradGuard no_grad;
  const auto parameters = encoder->named_parameters();
  // Norms begin with mean 0 and variance 1; a convolution looks one step back and one ahead.
  const auto layer = [&](const Tensor& x, const std::string& name, int64_t stride) {
    const Tensor w = parameters[name + ".conv.weight"];
    const int64_t length = (x.size(0) + stride - 1) / stride, reach = w.size(2) / 2;
    const Tensor y = torch::empty({length, w.size(0)}, torch::kFloat64);
    const Tensor ahead = at::constant_pad_nd(x, {0, 0, 0, reach});
    for (int64_t t = 0; t < length; ++t)
      for (int64_t o = 0; o < w.size(0); ++o)
        y[t][o] = convolved(ahead, w, 0, o, t * stride + reach, 1) / std::sqrt(1 + 1e-5) *
                      at_(parameters[name + ".norm.weight"], {o}) +
                  at_(parameters[name + ".norm.bias"], {o});
    return y;
  };
  Tensor x = layer(series(5)[0], "stem", 1).relu();
  x = (layer(layer(x, "stage0_0.conv1", 1).relu(), "stage0_0.conv2", 1) + x).relu();
  x = (layer(layer(x, "stage1_0.conv1", 2).relu(), "stage1_0.conv2", 1) +
       layer(x, "stage1_0.shortcut", 2))
          .relu();
  ASSERT_EQ(x.size(0), 3);
  EXPECT_LT((encoder->encode(series(5)).pooled[0] - x.mean(0)).abs().max().item<double>(), 1e-12);
}

TEST(SequenceFormulas, SinesAndCosinesOfThePaperAreThePositions) {
  const auto encoder =
      sequence_transformer({.width = 6, .depth = 1, .heads = 2, .positions = "sinusoidal"},
                           {.sizes = {-1}, .vocabulary = 4});
  fill(*encoder);
  torch::NoGradGuard no_grad;
  auto parameters = encoder->named_parameters();
  for (auto& item : parameters)  // so that the blocks add nothing
    if (item.key().find("attn.proj") != std::string::npos ||
        item.key().find("mlp.fc2") != std::string::npos)
      item.value().zero_();
  parameters["norm.weight"].fill_(1);
  parameters["norm.bias"].zero_();
  const Tensor found = encoder->encode(torch::zeros({1, 5}, torch::kInt64)).tokens[0];
  for (int64_t p = 0; p < 5; ++p) {
    std::vector<double> wanted;
    double mean = 0, square = 0;
    for (int64_t c = 0; c < 6; ++c) {
      const double angle = p / std::pow(10000.0, 2.0 * (c / 2) / 6);
      wanted.push_back(c % 2 == 0 ? std::sin(angle) : std::cos(angle));
      mean += wanted.back() / 6;
    }
    for (const double value : wanted) square += (value - mean) * (value - mean) / 6;
    for (int64_t c = 0; c < 6; ++c)
      EXPECT_NEAR(at_(found, {p, c}), (wanted[c] - mean) / std::sqrt(square + 1e-6), 1e-12);
  }
}

}  // namespace
}  // namespace fovea::nn
