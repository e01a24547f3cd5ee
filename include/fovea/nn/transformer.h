// The Transformer that the encoders of images, text, series and tables share (Vaswani et al.,
// 2017). Parameter names are timm's: norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2.
#pragma once

#include <string_view>

#include "fovea/nn/layers.h"

namespace fovea::nn {

struct TransformerOptions {
  int64_t width = 192, depth = 12, heads = 3;
  int64_t hidden = 768;    ///< of the layer between mlp.fc1 and mlp.fc2
  bool gated = false;      ///< ReGLU, a max(b, 0) of twice as many outputs of fc1, not GELU
  bool pre_norm = true;    ///< x + f(norm(x)); otherwise norm(x + f(x))
  bool rotary = false;     ///< positions turn queries and keys: rotated() of nn/attention.h
  bool first_norm = true;  ///< false: the first block has no norm1
  double dropout = 0;      ///< on what is added to a token
  double attention_dropout = 0;
  double hidden_dropout = 0;
  double drop_path = 0;   ///< of the last block; grows from 0 with depth
  double epsilon = 1e-6;  ///< of the norms
  Init init = Init::small;
};

class TransformerBlock;

/// Blocks one after the other, child modules "0", "1", …; no norm after the last one.
class Transformer : public torch::nn::Module {
 public:
  explicit Transformer(const TransformerOptions& options);
  /// x [N, L, C] -> [N, L, C]; mask [N, L] bool, true where a token may be seen, undefined: all.
  /// `first_row` takes [N, L]: the attention of the first token to all of them in the last block,
  /// the mean over the heads, without a gradient.
  torch::Tensor forward(torch::Tensor x, const torch::Tensor& mask = {},
                        torch::Tensor* first_row = nullptr);

 private:
  std::vector<std::shared_ptr<TransformerBlock>> blocks_;
};

/// A config Error where the heads do not divide the width.
void check_heads(std::string_view encoder, int64_t width, int64_t heads);

/// [N, L]: the attention of the first token to all, softmax(q k' / sqrt(width)) of its query, the mean
/// over the heads, without a gradient. q, k [N, heads, L, width]; mask [N, L] as in attention().
torch::Tensor first_row(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& mask);

/// A row of attention of a class token (`first_row`) -> how much the others count: [N, L - 1], sum 1.
torch::Tensor without_class_token(const torch::Tensor& first_row);

}  // namespace fovea::nn
