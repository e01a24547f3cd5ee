#include "fovea/nn/blocks/self_attention.h"

#include <algorithm>

#include "fovea/nn/attention.h"
#include "nn/blocks/gate.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class SelfAttention : public Block {
 public:
  SelfAttention(const SelfAttentionOptions& options, int64_t channels, int64_t dims) {
    const int64_t inner = std::max<int64_t>(1, channels / options.reduction);
    query_ = register_module("query", pointwise(dims, channels, inner));
    key_ = register_module("key", pointwise(dims, channels, inner));
    value_ = register_module("value", pointwise(dims, channels, channels));
    gate_ = register_module("gate", std::make_shared<Gate>());
  }

  Tensor forward(const Tensor& x) override {
    const auto one_head = [](const Tensor& map) { return positions(map).unsqueeze(1); };
    const Tensor seen = attention(one_head(query_->forward(x)), one_head(key_->forward(x)),
                                  one_head(value_->forward(x)), {}, 0, /*scale=*/1.0);
    return gate_->forward(seen.squeeze(1).transpose(1, 2).reshape(x.sizes()), x);
  }

 private:
  std::shared_ptr<Conv> query_, key_, value_;
  std::shared_ptr<Gate> gate_;
};

}  // namespace

BlockPtr self_attention(const SelfAttentionOptions& options, int64_t channels, int64_t dims) {
  return std::make_shared<SelfAttention>(options, channels, dims);
}

}  // namespace fovea::nn
