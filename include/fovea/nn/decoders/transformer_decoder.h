// The decoder of the Transformer (Vaswani et al., 2017): tokens that look at those before them and at a memory, such as the
// positions of an encoder's map. Parameter names are those of PyTorch's nn.TransformerDecoder: layers.0.self_attn.in_proj_weight,
// layers.0.multihead_attn.out_proj.weight, layers.0.linear1, layers.0.norm1, ….
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::nn {

struct DecoderOptions {
  int64_t width = 256, depth = 6, heads = 8;
  int64_t hidden = 2048;  ///< between linear1 and linear2
  bool pre_norm = false;  ///< x + f(norm(x)), `norm` after the last layer; otherwise norm(x + f(x))
  bool gelu = false;      ///< otherwise ReLU
  bool causal = true;     ///< a token sees itself and those before it; otherwise all
  double dropout = 0.1;   ///< on weights of attention, hidden numbers and what is added to a token
  double epsilon = 1e-5;  ///< of the norms
};

class DecoderLayer;

class TransformerDecoder : public torch::nn::Module {
 public:
  /// A config Error where the heads do not divide the width.
  explicit TransformerDecoder(const DecoderOptions& options);
  /// x [N, L, C], memory [N, M, C] -> [N, L, C]. memory_mask [N, M] bool, true where the memory may be seen; undefined: all.
  /// `looked_at` takes [N, L, M]: how much each token looked at each place of the memory in the last layer, the mean over the
  /// heads, before dropout, without a gradient.
  torch::Tensor forward(torch::Tensor x, const torch::Tensor& memory,
                        const torch::Tensor& memory_mask = {}, torch::Tensor* looked_at = nullptr);

 private:
  std::vector<std::shared_ptr<DecoderLayer>> layers_;
  std::shared_ptr<class LayerNorm> norm_;  ///< null: none
};

}  // namespace fovea::nn
