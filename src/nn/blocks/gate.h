// What the blocks of attention over positions share.
#pragma once

#include <torch/nn/module.h>

#include <memory>

#include "fovea/nn/layers.h"

namespace fovea::nn {

inline std::shared_ptr<Conv> pointwise(int64_t dims, int64_t in, int64_t out) {
  ConvOptions options = same_conv(in, out, 1);
  options.bias = true;
  options.init = Init::uniform;
  return std::make_shared<Conv>(dims, std::move(options));
}

/// A learned number per block, 0 at the start: the block then changes nothing, and a pretrained
/// encoder keeps what it knows.
class Gate : public torch::nn::Module, public Initialized {
 public:
  Gate() : gamma_(register_parameter("gamma", torch::zeros({1}))) {}
  torch::Tensor forward(const torch::Tensor& change, const torch::Tensor& x) {
    return at::addcmul(x, gamma_, change);
  }
  void initialize(at::Generator&) override { gamma_.zero_(); }

 private:
  torch::Tensor gamma_;
};

}  // namespace fovea::nn
