#include "fovea/nn/transformer.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/nn/attention.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class SelfAttention : public torch::nn::Module {
 public:
  explicit SelfAttention(const TransformerOptions& o)
      : heads_(o.heads),
        rotary_(o.rotary),
        dropout_(o.attention_dropout),
        qkv_(register_module("qkv", std::make_shared<Linear>(o.width, 3 * o.width, o.init))),
        proj_(register_module("proj", std::make_shared<Linear>(o.width, o.width, o.init))) {}

  Tensor forward(const Tensor& x, const Tensor& mask, Tensor* row) {
    const double dropout = is_training() ? dropout_ : 0;
    const Tensor qkv = qkv_->forward(x);
    if (!rotary_ && !row && !mask.defined())
      return proj_->forward(packed_attention(qkv, heads_, dropout));
    auto parts = qkv.view({x.size(0), x.size(1), 3, heads_, -1}).permute({2, 0, 3, 1, 4}).unbind(0);
    if (rotary_)
      for (const size_t i : {0, 1}) parts[i] = rotated(parts[i]);
    if (row) *row = first_row(parts[0], parts[1], mask);
    const Tensor seen = attention(parts[0], parts[1], parts[2], mask, dropout);
    return proj_->forward(seen.transpose(1, 2).reshape(x.sizes()));
  }

 private:
  int64_t heads_;
  bool rotary_;
  double dropout_;
  std::shared_ptr<Linear> qkv_, proj_;
};

class Mlp : public torch::nn::Module {
 public:
  explicit Mlp(const TransformerOptions& o)
      : gated_(o.gated),
        dropout_(o.hidden_dropout),
        fc1_(register_module(
            "fc1", std::make_shared<Linear>(o.width, o.gated ? 2 * o.hidden : o.hidden, o.init))),
        fc2_(register_module("fc2", std::make_shared<Linear>(o.hidden, o.width, o.init))) {}

  Tensor forward(const Tensor& x) {
    Tensor hidden = fc1_->forward(x);
    if (gated_) {
      const auto parts = hidden.chunk(2, -1);
      hidden = parts[0] * parts[1].relu();
    } else {
      hidden = at::gelu(hidden);
    }
    if (is_training() && dropout_ > 0) hidden = at::dropout(hidden, dropout_, true);
    return fc2_->forward(hidden);
  }

 private:
  bool gated_;
  double dropout_;
  std::shared_ptr<Linear> fc1_, fc2_;
};

}  // namespace

class TransformerBlock : public torch::nn::Module {
 public:
  TransformerBlock(const TransformerOptions& o, double drop_path, bool norm1)
      : pre_norm_(o.pre_norm), dropout_(o.dropout), drop_path_(drop_path) {
    if (norm1) norm1_ = register_module("norm1", std::make_shared<LayerNorm>(o.width, o.epsilon));
    attn_ = register_module("attn", std::make_shared<SelfAttention>(o));
    norm2_ = register_module("norm2", std::make_shared<LayerNorm>(o.width, o.epsilon));
    mlp_ = register_module("mlp", std::make_shared<Mlp>(o));
  }

  Tensor forward(const Tensor& x, const Tensor& mask, Tensor* first_row) {
    if (!pre_norm_) {
      const Tensor y = normed(x + thinned(attn_->forward(x, mask, first_row)));
      return norm2_->forward(y + thinned(mlp_->forward(y)));
    }
    const Tensor y = x + thinned(attn_->forward(normed(x), mask, first_row));
    return y + thinned(mlp_->forward(norm2_->forward(y)));
  }

 private:
  Tensor normed(const Tensor& x) { return norm1_ ? norm1_->forward(x) : x; }

  Tensor thinned(Tensor branch) {
    if (!is_training()) return branch;
    if (dropout_ > 0) branch = at::dropout(branch, dropout_, true);
    return drop_path(branch, drop_path_);
  }

  bool pre_norm_;
  double dropout_, drop_path_;
  std::shared_ptr<LayerNorm> norm1_;  ///< null: none
  std::shared_ptr<SelfAttention> attn_;
  std::shared_ptr<LayerNorm> norm2_;
  std::shared_ptr<Mlp> mlp_;
};

Transformer::Transformer(const TransformerOptions& options) {
  for (int64_t i = 0; i < options.depth; ++i) {
    const double part =
        options.depth > 1 ? static_cast<double>(i) / (static_cast<double>(options.depth) - 1) : 0;
    blocks_.push_back(register_module(
        std::to_string(i), std::make_shared<TransformerBlock>(options, options.drop_path * part,
                                                              options.first_norm || i > 0)));
  }
}

Tensor Transformer::forward(Tensor x, const Tensor& mask, Tensor* first_row) {
  for (const auto& block : blocks_)
    x = block->forward(x, mask, block == blocks_.back() ? first_row : nullptr);
  return x;
}

void check_heads(std::string_view encoder, int64_t width, int64_t heads) {
  if (width % heads == 0) return;
  throw config_error(
      fmt::format("{}: found width {} and {} heads, wanted heads that divide the width", encoder,
                  width, heads));
}

Tensor first_row(const Tensor& q, const Tensor& k, const Tensor& mask) {
  return looked_at(q.slice(2, 0, 1), k, mask).squeeze(1);
}

Tensor without_class_token(const Tensor& first_row) {
  const Tensor others = first_row.slice(1, 1);
  return others / others.sum(1, /*keepdim=*/true).clamp_min(1e-30);  // it may see itself alone
}

}  // namespace fovea::nn
