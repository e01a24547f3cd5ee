// Attention, the formula every block and encoder goes through.
#pragma once

#include <torch/types.h>

#include "fovea/core/standard_library.h"

namespace fovea::nn {

/// Scaled dot-product attention, `softmax(q k' scale) v`, one head at a time (Vaswani et al., 2017).
///
///   q        [batch, heads, queries, width]
///   k, v     [batch, heads, keys, width]
///   mask     [batch, keys] bool, true where a key may be seen; undefined means all of them
///   dropout  on the weights: 0 except while training
///   scale    1 / sqrt(width) where it is absent
///   causal   query i sees the keys 0 to i
///   result   like q
torch::Tensor attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                        const torch::Tensor& mask = {}, double dropout = 0,
                        std::optional<double> scale = {}, bool causal = false);

/// Self-attention of what one layer made: qkv [batch, L, 3 x heads x width], queries, keys and values, within each the heads;
/// result [batch, L, heads x width].
torch::Tensor packed_attention(const torch::Tensor& qkv, int64_t heads, double dropout = 0);

/// [N, L, C] -> [N, heads, L, C / heads].
torch::Tensor in_heads(const torch::Tensor& x, int64_t heads);

/// How much each query looked at each key: [batch, queries, keys], the mean over the heads, without a gradient. Arguments as
/// attention()'s.
torch::Tensor looked_at(const torch::Tensor& q, const torch::Tensor& k,
                        const torch::Tensor& mask = {});

/// Rotary positions (Su et al., 2021): of the token at position p the pair (i, i + width / 2) of the
/// channels is turned by p / 10000^(2 i / width), so that products of queries and keys depend on how
/// far they are apart. x [batch, heads, L, width], the width even; the result is like x.
torch::Tensor rotated(const torch::Tensor& x);

}  // namespace fovea::nn
