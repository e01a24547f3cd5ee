#include "fovea/nn/attention.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "fovea/core/random.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

Tensor numbers(torch::IntArrayRef shape, uint64_t stream) {
  const Tensor tensor = torch::empty(shape);
  Random random(1, Purpose::sample, 0, stream);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    tensor.data_ptr<float>()[i] = static_cast<float>(random.normal());
  return tensor;
}

/// softmax(q kᵀ / sqrt(width)) v in double, one query at a time.
Tensor by_hand(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
  const Tensor out = torch::zeros(q.sizes(), torch::kFloat64);
  for (int64_t n = 0; n < q.size(0); ++n)
    for (int64_t h = 0; h < q.size(1); ++h)
      for (int64_t i = 0; i < q.size(2); ++i) {
        double sum = 0;
        Tensor row = torch::zeros({v.size(3)}, torch::kFloat64);
        for (int64_t j = 0; j < k.size(2); ++j) {
          if (mask.defined() && !mask[n][j].item<bool>()) continue;
          const double score =
              q[n][h][i].to(torch::kFloat64).dot(k[n][h][j].to(torch::kFloat64)).item<double>();
          const double weight = std::exp(score / std::sqrt(static_cast<double>(q.size(3))));
          sum += weight;
          row = row + weight * v[n][h][j].to(torch::kFloat64);
        }
        if (sum > 0) out[n][h][i] = row / sum;
      }
  return out;
}

TEST(Attention, EqualsTheFormulaInBothPrecisionsWithAndWithoutAMask) {
  const Tensor q = numbers({2, 3, 5, 8}, 1), k = numbers({2, 3, 7, 8}, 2),
               v = numbers({2, 3, 7, 8}, 3);
  Tensor mask = torch::ones({2, 7}, torch::kBool);
  mask[0].slice(0, 4) = false;
  for (const Tensor& seen : {Tensor(), mask}) {
    EXPECT_LT((attention(q, k, v, seen) - by_hand(q, k, v, seen)).abs().max().item<double>(), 1e-5);
    const auto half = [](const Tensor& t) { return t.to(torch::kBFloat16); };
    // bf16 has 8 bits: values up to 3 are rounded by up to 2^-8 of themselves, a few times over.
    const Tensor rounded = by_hand(half(q).to(torch::kFloat), half(k).to(torch::kFloat),
                                   half(v).to(torch::kFloat), seen);
    EXPECT_LT((attention(half(q), half(k), half(v), seen) - rounded).abs().max().item<double>(),
              0.06);
  }
}

TEST(Attention, AQueryThatMaySeeNoKeyYieldsZeros) {
  const Tensor q = numbers({1, 1, 2, 4}, 1);
  const Tensor nothing = torch::zeros({1, 2}, torch::kBool);
  for (const auto type : {torch::kFloat, torch::kBFloat16})
    EXPECT_EQ(attention(q.to(type), q.to(type), q.to(type), nothing).abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace fovea::nn
