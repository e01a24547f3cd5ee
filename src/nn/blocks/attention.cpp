#include "fovea/nn/blocks/attention.h"

#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/nn/attention.h"
#include "nn/blocks/gate.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class Attention : public Block {
 public:
  Attention(const AttentionBlockOptions& options, int64_t channels, int64_t dims)
      : options_(options) {
    if (channels % options.heads != 0)
      throw config_error(
          fmt::format("block 'attention': found {} channels and {} heads, wanted "
                      "heads that divide the channels",
                      channels, options.heads));
    qkv_ = register_module("qkv", pointwise(dims, channels, 3 * channels));
    proj_ = register_module("proj", pointwise(dims, channels, channels));
    gate_ = register_module("gate", std::make_shared<Gate>());
  }

  Tensor forward(const Tensor& x) override {
    const int64_t cases = x.size(0), channels = x.size(1);
    // [N, L, 3 C] -> [3, N, heads, L, C / heads]
    const Tensor qkv = positions(qkv_->forward(x))
                           .reshape({cases, -1, 3, options_.heads, channels / options_.heads})
                           .permute({2, 0, 3, 1, 4});
    const Tensor seen = attention(qkv[0], qkv[1], qkv[2], {}, is_training() ? options_.dropout : 0);
    // [N, heads, L, C / heads] -> [N, C, positions]
    const Tensor map = seen.permute({0, 1, 3, 2}).reshape(x.sizes());
    return gate_->forward(proj_->forward(map), x);
  }

 private:
  AttentionBlockOptions options_;
  std::shared_ptr<Conv> qkv_, proj_;
  std::shared_ptr<Gate> gate_;
};

}  // namespace

BlockPtr attention_block(const AttentionBlockOptions& options, int64_t channels, int64_t dims) {
  return std::make_shared<Attention>(options, channels, dims);
}

}  // namespace fovea::nn
