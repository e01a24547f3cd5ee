#include "fovea/nn/decoders/transformer_decoder.h"

#include <torch/nn/module.h>

#include <cmath>

#include "fovea/nn/attention.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/transformer.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

/// The three projections in one weight, as PyTorch keeps them.
class MultiheadAttention : public torch::nn::Module, public Initialized {
 public:
  explicit MultiheadAttention(const DecoderOptions& o)
      : heads_(o.heads), width_(o.width), dropout_(o.dropout) {
    in_proj_weight_ = register_parameter("in_proj_weight", torch::empty({3 * o.width, o.width}));
    in_proj_bias_ = register_parameter("in_proj_bias", torch::empty({3 * o.width}));
    out_proj_ = register_module("out_proj", std::make_shared<Linear>(o.width, o.width));
  }

  Tensor forward(const Tensor& x, const Tensor& memory, const Tensor& mask, bool causal,
                 Tensor* map) {
    const Tensor q = in_heads(projected(x, 0, 1), heads_);
    const auto kv = projected(memory, 1, 3).chunk(2, -1);
    const Tensor k = in_heads(kv[0], heads_), v = in_heads(kv[1], heads_);
    if (map) *map = looked_at(q, k, mask);
    const Tensor seen = attention(q, k, v, mask, is_training() ? dropout_ : 0, {}, causal);
    return out_proj_->forward(seen.transpose(1, 2).reshape(x.sizes()));
  }

  /// As PyTorch begins: Glorot's uniform numbers (Glorot and Bengio, AISTATS 2010) and no bias.
  void initialize(at::Generator& generator) override {
    const double bound = std::sqrt(6 / (4 * static_cast<double>(width_)));
    in_proj_weight_.uniform_(-bound, bound, generator);
    in_proj_bias_.zero_();
  }

 private:
  Tensor projected(const Tensor& x, int64_t first, int64_t last) const {
    return at::linear(x, in_proj_weight_.slice(0, first * width_, last * width_),
                      in_proj_bias_.slice(0, first * width_, last * width_));
  }

  int64_t heads_, width_;
  double dropout_;
  Tensor in_proj_weight_, in_proj_bias_;
  std::shared_ptr<Linear> out_proj_;
};

}  // namespace

class DecoderLayer : public torch::nn::Module {
 public:
  explicit DecoderLayer(const DecoderOptions& o) : o_(o) {
    self_attn_ = register_module("self_attn", std::make_shared<MultiheadAttention>(o));
    multihead_attn_ = register_module("multihead_attn", std::make_shared<MultiheadAttention>(o));
    linear1_ = register_module("linear1", std::make_shared<Linear>(o.width, o.hidden));
    linear2_ = register_module("linear2", std::make_shared<Linear>(o.hidden, o.width));
    for (const char* name : {"norm1", "norm2", "norm3"})
      norms_.push_back(register_module(name, std::make_shared<LayerNorm>(o.width, o.epsilon)));
  }

  Tensor forward(Tensor x, const Tensor& memory, const Tensor& mask, Tensor* map) {
    x = with(x, 0,
             [&](const Tensor& y) { return self_attn_->forward(y, y, {}, o_.causal, nullptr); });
    x = with(x, 1, [&](const Tensor& y) {
      return multihead_attn_->forward(y, memory, mask, false, map);
    });
    return with(x, 2, [&](const Tensor& y) {
      const Tensor hidden = linear1_->forward(y);
      return linear2_->forward(dropped(o_.gelu ? at::gelu(hidden) : hidden.relu()));
    });
  }

 private:
  /// What a branch adds to x, with its norm before or after.
  template <class Branch>
  Tensor with(const Tensor& x, size_t norm, const Branch& branch) const {
    if (o_.pre_norm) return x + dropped(branch(norms_[norm]->forward(x)));
    return norms_[norm]->forward(x + dropped(branch(x)));
  }
  Tensor dropped(const Tensor& x) const {
    return is_training() && o_.dropout > 0 ? at::dropout(x, o_.dropout, true) : x;
  }

  DecoderOptions o_;
  std::shared_ptr<MultiheadAttention> self_attn_, multihead_attn_;
  std::shared_ptr<Linear> linear1_, linear2_;
  std::vector<std::shared_ptr<LayerNorm>> norms_;
};

TransformerDecoder::TransformerDecoder(const DecoderOptions& options) {
  check_heads("transformer decoder", options.width, options.heads);
  const auto layers = register_module("layers", std::make_shared<torch::nn::Module>());
  for (int64_t i = 0; i < options.depth; ++i)
    layers_.push_back(
        layers->register_module(std::to_string(i), std::make_shared<DecoderLayer>(options)));
  if (options.pre_norm)
    norm_ = register_module("norm", std::make_shared<LayerNorm>(options.width, options.epsilon));
}

Tensor TransformerDecoder::forward(Tensor x, const Tensor& memory, const Tensor& memory_mask,
                                   Tensor* looked_at) {
  for (const auto& layer : layers_)
    x = layer->forward(x, memory, memory_mask, layer == layers_.back() ? looked_at : nullptr);
  return norm_ ? norm_->forward(x) : x;
}

}  // namespace fovea::nn
