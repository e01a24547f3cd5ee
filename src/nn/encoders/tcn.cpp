#include "fovea/nn/encoders/tcn.h"

#include <torch/nn/module.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/nn/convolution.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

/// Reads a step and those before it, zeros before the first. The weight is g v / |v|, the norm that
/// of an output's kernel (Salimans and Kingma, NeurIPS 2016).
class CausalConv : public torch::nn::Module, public Initialized {
 public:
  CausalConv(int64_t in, int64_t out, int64_t kernel, int64_t dilation)
      : reach_((kernel - 1) * dilation), dilation_(dilation) {
    v_ = register_parameter("weight_v", torch::empty({out, in, kernel}));
    g_ = register_parameter("weight_g", torch::empty({out, 1, 1}));
    bias_ = register_parameter("bias", torch::empty({out}));
  }

  Tensor forward(const Tensor& x) {
    const Tensor weight = at::_weight_norm(v_, g_, 0);
    return convolve(at::constant_pad_nd(x, {reach_, 0}), weight, bias_,
                    {.stride = {1}, .padding = {0}, .dilation = {dilation_}});
  }

  void initialize(at::Generator& generator) override {
    v_.normal_(0, std::sqrt(2 / static_cast<double>(v_[0].numel())), generator);
    g_.copy_(v_.square().sum({1, 2}, true).sqrt());
    bias_.zero_();
  }

 private:
  int64_t reach_, dilation_;
  Tensor v_, g_, bias_;
};

class TemporalBlock : public torch::nn::Module {
 public:
  TemporalBlock(const TcnOptions& o, int64_t in, int64_t out, int64_t dilation)
      : dropout_(o.dropout) {
    conv1_ = register_module("conv1", std::make_shared<CausalConv>(in, out, o.kernel, dilation));
    conv2_ = register_module("conv2", std::make_shared<CausalConv>(out, out, o.kernel, dilation));
    if (in != out)
      shortcut_ = register_module(
          "shortcut",
          std::make_shared<Conv>(
              1,
              ConvOptions{.in = in, .out = out, .kernel = {1}, .bias = true, .init = Init::he_in}));
  }

  Tensor forward(const Tensor& x) {
    Tensor y = x;
    for (const auto& conv : {conv1_, conv2_})
      y = at::dropout(conv->forward(y).relu(), dropout_, is_training());
    return (y + (shortcut_ ? shortcut_->forward(x) : x)).relu();
  }

 private:
  double dropout_;
  std::shared_ptr<CausalConv> conv1_, conv2_;
  std::shared_ptr<Conv> shortcut_;  ///< null: as many channels leave as enter
};

class Tcn : public Encoder {
 public:
  Tcn(const TcnOptions& o, const InputShape& shape) {
    if (o.channels.empty())
      throw config_error("tcn: found no channels, wanted the channels of at least one block");
    if (o.channels.size() > 30)
      throw config_error("tcn: found more than 30 blocks, whose reach no series has");
    input_ = register_module("input", std::make_shared<SequenceInput>("tcn", shape, o.embedding));
    int64_t in = input_->width();
    for (const int64_t out : o.channels) {
      const size_t i = blocks_.size();
      blocks_.push_back(
          register_module("block" + std::to_string(i),
                          std::make_shared<TemporalBlock>(o, in, out, int64_t{1} << i)));
      in = out;
    }
    width_ = in;
    pooling_ = register_module("pooling", std::make_shared<SequencePooling>(o.pooling, in));
  }

  // A causal convolution reads no padding, which only follows.
  Features encode(const Tensor& input, const Tensor& lengths) override {
    const Padding padding = padding_of("tcn", input, lengths);
    Tensor x = input_->forward(input, padding).transpose(1, 2);  // [N, C, L]
    for (const auto& block : blocks_) x = block->forward(x);
    const Tensor tokens = padding.clear(x.transpose(1, 2));
    const auto [pooled, weights] = pooling_->forward(tokens, padding);
    return {.map = {}, .tokens = tokens, .pooled = pooled, .weights = weights};
  }

  int64_t width() const override { return width_; }

 private:
  int64_t width_ = 0;
  std::shared_ptr<SequenceInput> input_;
  std::vector<std::shared_ptr<TemporalBlock>> blocks_;
  std::shared_ptr<SequencePooling> pooling_;
};

}  // namespace

EncoderPtr tcn(const TcnOptions& options, const InputShape& shape) {
  return std::make_shared<Tcn>(options, shape);
}

}  // namespace fovea::nn
