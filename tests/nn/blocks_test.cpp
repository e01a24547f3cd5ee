#include "fovea/nn/blocks.h"

#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/nn/attention.h"
#include "nn/formula.h"

namespace fovea::nn {
namespace {

using test::formula;
using torch::Tensor;

/// A block in double, all parameters filled by formula, its gate open.
BlockPtr block(const std::string& name, int64_t channels, int64_t dims) {
  BlockChoice choice;
  choice.select(name);
  BlockPtr made = choice.make(channels, dims);
  made->to(torch::kFloat64);
  torch::NoGradGuard no_grad;
  for (auto& item : made->named_parameters()) {
    item.value().copy_(formula(item.key(), item.value().sizes()));
    if (item.key().ends_with("gamma")) item.value().fill_(0.7);
  }
  return made;
}

Tensor input(at::IntArrayRef shape) { return formula("x", shape).to(torch::kFloat64) * 2; }

Tensor parameter(const Block& block, const std::string& name) {
  return block.named_parameters()[name].detach();
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// y[o] = sum over i of w[o][i] x[i] + b[o], with plain loops.
std::vector<double> affine(const Tensor& weight, const Tensor& bias, const std::vector<double>& x) {
  std::vector<double> y;
  for (int64_t o = 0; o < weight.size(0); ++o) {
    double sum = bias[o].item<double>();
    const Tensor row = weight[o].flatten();
    for (size_t i = 0; i < x.size(); ++i) sum += row[static_cast<int64_t>(i)].item<double>() * x[i];
    y.push_back(sum);
  }
  return y;
}

/// The channels of one case at each position: [positions][channels].
std::vector<std::vector<double>> columns(const Tensor& map) {
  const Tensor flat = map.flatten(1);
  std::vector<std::vector<double>> result(flat.size(1), std::vector<double>(flat.size(0)));
  for (int64_t c = 0; c < flat.size(0); ++c)
    for (int64_t p = 0; p < flat.size(1); ++p) result[p][c] = flat[c][p].item<double>();
  return result;
}

/// softmax(q k' scale) v for the channels [first, first + width) of each position.
std::vector<std::vector<double>> attend(const std::vector<std::vector<double>>& q,
                                        const std::vector<std::vector<double>>& k,
                                        const std::vector<std::vector<double>>& v, double scale) {
  std::vector<std::vector<double>> result;
  for (const auto& query : q) {
    std::vector<double> weights;
    double total = 0;
    for (const auto& key : k) {
      double product = 0;
      for (size_t i = 0; i < query.size(); ++i) product += query[i] * key[i];
      weights.push_back(std::exp(product * scale));
      total += weights.back();
    }
    std::vector<double> sum(v[0].size(), 0);
    for (size_t j = 0; j < v.size(); ++j)
      for (size_t c = 0; c < sum.size(); ++c) sum[c] += weights[j] / total * v[j][c];
    result.push_back(sum);
  }
  return result;
}

void expect_columns(const Tensor& found, const std::vector<std::vector<double>>& wanted) {
  const auto mine = columns(found);
  ASSERT_EQ(mine.size(), wanted.size());
  for (size_t p = 0; p < wanted.size(); ++p)
    for (size_t c = 0; c < wanted[p].size(); ++c) ASSERT_NEAR(mine[p][c], wanted[p][c], 1e-12);
}

TEST(Blocks, SelfAttentionIsTheFormulaOfSagan) {
  for (const auto& shape : {std::vector<int64_t>{2, 16, 3, 4}, {2, 16, 2, 3, 2}}) {
    const BlockPtr made = block("self_attention", 16, static_cast<int64_t>(shape.size()) - 2);
    EXPECT_EQ(parameter(*made, "query.weight").size(0), 2);  // 16 / 8
    const Tensor x = input(shape);
    const Tensor y = made->forward(x).detach();
    for (int64_t n = 0; n < 2; ++n) {
      std::vector<std::vector<double>> parts[3];
      const char* names[] = {"query", "key", "value"};
      auto wanted = columns(x[n]);
      for (int part = 0; part < 3; ++part)
        for (const auto& column : wanted)
          parts[part].push_back(affine(parameter(*made, std::string(names[part]) + ".weight"),
                                       parameter(*made, std::string(names[part]) + ".bias"),
                                       column));
      const auto seen = attend(parts[0], parts[1], parts[2], 1);
      for (size_t p = 0; p < wanted.size(); ++p)
        for (size_t c = 0; c < 16; ++c) wanted[p][c] += 0.7 * seen[p][c];
      expect_columns(y[n], wanted);
    }
  }
}

TEST(Blocks, AttentionIsTheFormulaHeadByHead) {
  BlockChoice choice;
  Node settings;
  settings.at("heads") = Node::scalar("4");
  choice.select("attention");
  choice.read_settings(settings);
  const BlockPtr made = choice.make(8, 2);
  const BlockPtr filled =
      block("attention", 8, 2);  // 8 heads of width 1: only its parameters serve
  made->to(torch::kFloat64);
  torch::NoGradGuard no_grad;
  for (auto& item : made->named_parameters()) item.value().copy_(parameter(*filled, item.key()));

  const Tensor x = input({1, 8, 3, 2});
  auto wanted = columns(x[0]);
  std::vector<std::vector<double>> qkv;
  for (const auto& column : wanted)
    qkv.push_back(affine(parameter(*made, "qkv.weight"), parameter(*made, "qkv.bias"), column));
  std::vector<std::vector<double>> joined(wanted.size());
  for (int head = 0; head < 4; ++head) {
    std::vector<std::vector<double>> parts[3];
    for (int part = 0; part < 3; ++part)
      for (const auto& column : qkv) {
        const auto* first = column.data() + part * 8 + head * 2;
        parts[part].emplace_back(first, first + 2);
      }
    const auto seen = attend(parts[0], parts[1], parts[2], 1 / std::sqrt(2.0));
    for (size_t p = 0; p < seen.size(); ++p)
      joined[p].insert(joined[p].end(), seen[p].begin(), seen[p].end());
  }
  for (size_t p = 0; p < wanted.size(); ++p) {
    const auto projected =
        affine(parameter(*made, "proj.weight"), parameter(*made, "proj.bias"), joined[p]);
    for (size_t c = 0; c < 8; ++c) wanted[p][c] += 0.7 * projected[c];
  }
  expect_columns(made->forward(x)[0], wanted);
}

TEST(Blocks, SqueezeExcitationWeighsEachChannelByTheMeans) {
  const BlockPtr made = block("squeeze_excitation", 32, 3);
  const Tensor x = input({1, 32, 2, 3, 2});
  auto wanted = columns(x[0]);
  std::vector<double> mean(32, 0);
  for (const auto& column : wanted)
    for (size_t c = 0; c < 32; ++c) mean[c] += column[c] / static_cast<double>(wanted.size());
  auto hidden = affine(parameter(*made, "fc1.weight"), parameter(*made, "fc1.bias"), mean);
  ASSERT_EQ(hidden.size(), 2u);
  for (double& h : hidden) h = std::max(h, 0.0);
  const auto weight = affine(parameter(*made, "fc2.weight"), parameter(*made, "fc2.bias"), hidden);
  for (auto& column : wanted)
    for (size_t c = 0; c < 32; ++c) column[c] *= sigmoid(weight[c]);
  expect_columns(made->forward(x)[0].detach(), wanted);
}

TEST(Blocks, CbamWeighsChannelsThenPositions) {
  const BlockPtr made = block("cbam", 32, 2);
  const int64_t height = 4, width = 5;
  const Tensor x = input({1, 32, height, width});
  auto wanted = columns(x[0]);
  std::vector<double> mean(32, 0), most(32, -INFINITY);
  for (const auto& column : wanted)
    for (size_t c = 0; c < 32; ++c) {
      mean[c] += column[c] / static_cast<double>(wanted.size());
      most[c] = std::max(most[c], column[c]);
    }
  std::vector<double> weight(32, 0);
  for (const auto& summary : {mean, most}) {
    auto hidden = affine(parameter(*made, "fc1.weight"), parameter(*made, "fc1.bias"), summary);
    for (double& h : hidden) h = std::max(h, 0.0);
    const auto part = affine(parameter(*made, "fc2.weight"), parameter(*made, "fc2.bias"), hidden);
    for (size_t c = 0; c < 32; ++c) weight[c] += part[c];
  }
  for (auto& column : wanted)
    for (size_t c = 0; c < 32; ++c) column[c] *= sigmoid(weight[c]);

  std::vector<std::array<double, 2>> summary;
  for (const auto& column : wanted) {
    double sum = 0;
    for (const double value : column) sum += value;
    summary.push_back({sum / 32, *std::max_element(column.begin(), column.end())});
  }
  const Tensor kernel = parameter(*made, "spatial.weight");  // [1, 2, 7, 7]
  auto result = wanted;
  for (int64_t r = 0; r < height; ++r)
    for (int64_t c = 0; c < width; ++c) {
      double sum = 0;
      for (int64_t dr = -3; dr <= 3; ++dr)
        for (int64_t dc = -3; dc <= 3; ++dc) {
          if (r + dr < 0 || r + dr >= height || c + dc < 0 || c + dc >= width) continue;
          for (int64_t s = 0; s < 2; ++s)
            sum +=
                kernel[0][s][dr + 3][dc + 3].item<double>() * summary[(r + dr) * width + c + dc][s];
        }
      for (double& value : result[r * width + c]) value *= sigmoid(sum);
    }
  expect_columns(made->forward(x)[0].detach(), result);
}

TEST(Blocks, GradientsAgreeWithFiniteDifferences) {
  for (const std::string& name : blocks().names()) {
    const BlockPtr made = block(name, 16, 2);
    Tensor x = input({2, 16, 3, 3}).requires_grad_();
    const Tensor weights = formula("weights", {2, 16, 3, 3}).to(torch::kFloat64);
    const auto loss = [&] { return (made->forward(x) * weights).sum(); };
    loss().backward();
    auto parameters = made->named_parameters();
    parameters.insert("input", x);
    for (auto& item : parameters) {
      Tensor values = item.value().detach().view(-1);
      const Tensor gradient = item.value().grad().view(-1);
      for (int64_t i = 0; i < values.numel(); i += 1 + values.numel() / 5) {
        torch::NoGradGuard no_grad;
        constexpr double kStep = 1e-6;
        const double kept = values[i].item<double>();
        values[i] = kept + kStep;
        const double high = loss().item<double>();
        values[i] = kept - kStep;
        const double low = loss().item<double>();
        values[i] = kept;
        const double wanted = (high - low) / (2 * kStep);
        ASSERT_NEAR(gradient[i].item<double>(), wanted, 1e-6 * std::max(1.0, std::abs(wanted)))
            << name << " " << item.key() << " " << i;
      }
    }
  }
}

TEST(Blocks, PoolingByAttentionIsAMeanWeightedByASoftmax) {
  Pooling pooling("attention", 8);
  pooling.to(torch::kFloat64);
  torch::NoGradGuard no_grad;
  auto parameters = pooling.named_parameters();
  for (auto& item : parameters) item.value().copy_(formula(item.key(), item.value().sizes()));
  const Tensor x = input({2, 8, 3, 2});
  const Tensor found = pooling.forward(x);
  for (int64_t n = 0; n < 2; ++n) {
    std::vector<double> sum(8, 0);
    double total = 0;
    for (const auto& column : columns(x[n])) {
      auto hidden = affine(parameters["hidden.weight"], parameters["hidden.bias"], column);
      for (double& h : hidden) h = std::tanh(h);
      const double weight =
          std::exp(affine(parameters["score.weight"], parameters["score.bias"], hidden)[0]);
      total += weight;
      for (size_t c = 0; c < 8; ++c) sum[c] += weight * column[c];
    }
    for (int64_t c = 0; c < 8; ++c) ASSERT_NEAR(found[n][c].item<double>(), sum[c] / total, 1e-12);
  }
}

TEST(Blocks, AttentionDoesNotLookAtMaskedKeys) {
  const Tensor q = input({2, 1, 3, 4}), k = formula("k", {2, 1, 5, 4}).to(torch::kFloat64),
               v = formula("v", {2, 1, 5, 4}).to(torch::kFloat64);
  const Tensor mask = torch::ones({2, 5}, torch::kBool);
  mask[1].slice(0, 3).fill_(false);
  const Tensor found = attention(q, k, v, mask);
  EXPECT_TRUE(found[0].allclose(attention(q, k, v)[0]));
  const Tensor shorter =
      attention(q.slice(0, 1), k.slice(0, 1).slice(2, 0, 3), v.slice(0, 1).slice(2, 0, 3));
  EXPECT_TRUE(found[1].allclose(shorter[0]));
}

TEST(Blocks, HeadsThatDoNotDivideTheChannelsAreRefused) {
  BlockChoice choice;
  choice.select("attention");
  EXPECT_THROW(choice.make(12, 2), Error);
}

}  // namespace
}  // namespace fovea::nn
