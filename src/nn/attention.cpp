#include "fovea/nn/attention.h"

#include <torch/nn/module.h>

#include <cmath>

#include "fovea/attention/attention.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

Tensor seen_by_all(const Tensor& mask) {
  return mask.defined() ? mask.unsqueeze(1).unsqueeze(1) : Tensor();
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask,
                 double dropout, std::optional<double> scale, bool causal) {
  Tensor seen = seen_by_all(mask);
  if (attention::runs_on(q.device().type()))
    return attention::sdpa(q, k, v,
                           {.mask = seen, .dropout_p = dropout, .causal = causal, .scale = scale})
        .out;
  if (causal && seen.defined()) {  // LibTorch takes either
    seen = seen.logical_and(torch::ones({q.size(-2), k.size(-2)}, seen.options()).tril());
    causal = false;
  }
  return at::scaled_dot_product_attention(
      q, k, v, seen.defined() ? std::optional(seen) : std::nullopt, dropout, causal, scale);
}

Tensor packed_attention(const Tensor& qkv, int64_t heads, double dropout) {
  if (attention::runs_on(qkv.device().type()))
    return attention::window_sdpa(qkv, {}, heads, {.dropout_p = dropout}).out;
  const int64_t cases = qkv.size(0), length = qkv.size(1);
  const auto parts = qkv.view({cases, length, 3, heads, -1}).permute({2, 0, 3, 1, 4});
  return attention(parts[0], parts[1], parts[2], {}, dropout)
      .transpose(1, 2)
      .reshape({cases, length, -1});
}

Tensor in_heads(const Tensor& x, int64_t heads) {
  return x.reshape({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

Tensor looked_at(const Tensor& q, const Tensor& k, const Tensor& mask) {
  torch::NoGradGuard no_grad;
  const Tensor seen = seen_by_all(mask);
  if (attention::runs_on(q.device().type()))
    return attention::sdpa(q, k, k, {.mask = seen, .want_avg_map = true}).avg_map;
  Tensor scores = at::matmul(q / std::sqrt(static_cast<double>(q.size(-1))), k.transpose(-2, -1));
  if (seen.defined()) scores = scores.masked_fill(seen.logical_not(), -INFINITY);
  return scores.softmax(-1, at::promote_types(scores.scalar_type(), torch::kFloat32)).mean(1);
}

Tensor rotated(const Tensor& x) {
  const int64_t half = x.size(-1) / 2;
  const auto exact = x.options().dtype(torch::kFloat64);
  const Tensor rate =
      (torch::arange(half, exact) * (-std::log(10000.0) / static_cast<double>(half))).exp();
  const Tensor turn = torch::arange(x.size(-2), exact).unsqueeze(1) * rate;  // [L, width / 2]
  const Tensor sine = turn.sin().to(x.dtype()), cosine = turn.cos().to(x.dtype());
  const Tensor a = x.slice(-1, 0, half), b = x.slice(-1, half);
  return at::cat({a * cosine - b * sine, b * cosine + a * sine}, -1);
}

}  // namespace fovea::nn
