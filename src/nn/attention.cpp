#include "fovea/nn/attention.h"

#include <torch/nn.h>

namespace fovea::nn {

torch::Tensor attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                        const torch::Tensor& mask, double dropout, std::optional<double> scale) {
  const std::optional<torch::Tensor> seen =
      mask.defined() ? std::optional(mask.unsqueeze(1).unsqueeze(1)) : std::nullopt;
  return at::scaled_dot_product_attention(q, k, v, seen, dropout, /*is_causal=*/false, scale);
}

}  // namespace fovea::nn
