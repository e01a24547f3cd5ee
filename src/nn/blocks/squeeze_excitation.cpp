#include "fovea/nn/blocks/squeeze_excitation.h"

#include <algorithm>

namespace fovea::nn {
namespace {

using torch::Tensor;

class SqueezeExcitation : public Block {
 public:
  SqueezeExcitation(const SqueezeExcitationOptions& options, int64_t channels, int64_t) {
    const int64_t inner = std::max<int64_t>(1, channels / options.reduction);
    fc1_ = register_module("fc1", std::make_shared<Linear>(channels, inner));
    fc2_ = register_module("fc2", std::make_shared<Linear>(inner, channels));
  }

  Tensor forward(const Tensor& x) override {
    const Tensor mean = positions(x).mean(1);
    const Tensor weight = fc2_->forward(fc1_->forward(mean).relu_()).sigmoid_();
    std::vector<int64_t> per_channel(x.dim(), 1);
    per_channel[0] = x.size(0);
    per_channel[1] = x.size(1);
    return x * weight.view(per_channel);
  }

 private:
  std::shared_ptr<Linear> fc1_, fc2_;
};

}  // namespace

BlockPtr squeeze_excitation(const SqueezeExcitationOptions& options, int64_t channels,
                            int64_t dims) {
  return std::make_shared<SqueezeExcitation>(options, channels, dims);
}

}  // namespace fovea::nn
