#include "fovea/nn/blocks/cbam.h"

#include <algorithm>

namespace fovea::nn {
namespace {

using torch::Tensor;

class Cbam : public Block {
 public:
  Cbam(const CbamOptions& options, int64_t channels, int64_t dims) {
    const int64_t inner = std::max<int64_t>(1, channels / options.reduction);
    fc1_ = register_module("fc1", std::make_shared<Linear>(channels, inner));
    fc2_ = register_module("fc2", std::make_shared<Linear>(inner, channels));
    ConvOptions weigh = same_conv(2, 1, options.kernel);
    weigh.init = Init::uniform;
    spatial_ = register_module("spatial", std::make_shared<Conv>(dims, std::move(weigh)));
  }

  Tensor forward(const Tensor& x) override {
    const Tensor flat = positions(x);
    const Tensor weight = (hidden(flat.mean(1)) + hidden(flat.amax(1))).sigmoid_();
    std::vector<int64_t> per_channel(x.dim(), 1);
    per_channel[0] = x.size(0);
    per_channel[1] = x.size(1);
    const Tensor y = x * weight.view(per_channel);
    const Tensor summary = at::cat({y.mean(1, true), y.amax(1, true)}, 1);
    return y * spatial_->forward(summary).sigmoid_();
  }

 private:
  Tensor hidden(const Tensor& x) { return fc2_->forward(fc1_->forward(x).relu_()); }

  std::shared_ptr<Linear> fc1_, fc2_;
  std::shared_ptr<Conv> spatial_;
};

}  // namespace

BlockPtr cbam(const CbamOptions& options, int64_t channels, int64_t dims) {
  return std::make_shared<Cbam>(options, channels, dims);
}

}  // namespace fovea::nn
