#include "fovea/nn/encoders/resnet1d.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include "fovea/core/error.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

/// A convolution and its normalization on [N, C, L]; what stands on padding before does not count,
/// and zeros stand there after.
class MaskedConv : public torch::nn::Module {
 public:
  MaskedConv(int64_t in, int64_t out, int64_t kernel, int64_t stride)
      : conv_(
            register_module("conv", std::make_shared<Conv>(1, same_conv(in, out, kernel, stride)))),
        norm_(register_module("norm", std::make_shared<BatchNorm>(out))) {}

  /// `mask` [N, L] of the result.
  Tensor forward(const Tensor& x, const Tensor& mask) {
    const Tensor y = conv_->forward(x);
    if (!mask.defined()) return norm_->forward(y);
    const Tensor steps = y.transpose(1, 2);  // [N, L, C]
    const Tensor normed = norm_->forward(steps.index({mask}));
    return torch::zeros_like(steps).index_put({mask}, normed).transpose(1, 2);
  }

 private:
  std::shared_ptr<Conv> conv_;
  std::shared_ptr<BatchNorm> norm_;
};

class Residual1d : public torch::nn::Module {
 public:
  Residual1d(const ResNet1dOptions& o, int64_t in, int64_t out, int64_t stride)
      : dropout_(o.dropout) {
    conv1_ = register_module("conv1", std::make_shared<MaskedConv>(in, out, o.kernel, stride));
    conv2_ = register_module("conv2", std::make_shared<MaskedConv>(out, out, o.kernel, 1));
    if (stride != 1 || in != out)
      shortcut_ = register_module("shortcut", std::make_shared<MaskedConv>(in, out, 1, stride));
  }

  Tensor forward(const Tensor& x, const Tensor& mask) {
    const Tensor y = at::dropout(conv1_->forward(x, mask).relu(), dropout_, is_training());
    return (conv2_->forward(y, mask) + (shortcut_ ? shortcut_->forward(x, mask) : x)).relu();
  }

 private:
  double dropout_;
  std::shared_ptr<MaskedConv> conv1_, conv2_;
  std::shared_ptr<MaskedConv> shortcut_;  ///< null: the shape stays
};

class ResNet1d : public Encoder {
 public:
  ResNet1d(const ResNet1dOptions& o, const InputShape& shape) : width_(o.width) {
    if (o.kernel % 2 == 0)
      throw config_error(
          fmt::format("resnet1d: found a kernel of {}, wanted an odd number of steps", o.kernel));
    if (o.blocks.empty() || o.blocks.size() > 8)
      throw config_error(
          fmt::format("resnet1d: found {} stages, wanted 1 to 8: blocks [2, 2, 2, 2] are four",
                      o.blocks.size()));
    input_ =
        register_module("input", std::make_shared<SequenceInput>("resnet1d", shape, o.embedding));
    stem_ =
        register_module("stem", std::make_shared<MaskedConv>(input_->width(), width_, o.kernel, 1));
    for (size_t stage = 0; stage < o.blocks.size(); ++stage) {
      const int64_t out = o.width << stage;
      std::vector<std::shared_ptr<Residual1d>>& blocks = stages_.emplace_back();
      for (int64_t i = 0; i < o.blocks[stage]; ++i) {
        blocks.push_back(register_module(
            fmt::format("stage{}_{}", stage, i),
            std::make_shared<Residual1d>(o, width_, out, i == 0 && stage > 0 ? 2 : 1)));
        width_ = out;
      }
    }
    pooling_ = register_module("pooling", std::make_shared<SequencePooling>(o.pooling, width_));
  }

  Features encode(const Tensor& input, const Tensor& lengths) override {
    Padding padding = padding_of("resnet1d", input, lengths);
    Tensor x = input_->forward(input, padding).transpose(1, 2);  // [N, C, L]
    x = stem_->forward(x, padding.mask).relu();
    for (size_t stage = 0; stage < stages_.size(); ++stage) {
      if (stage > 0) padding = halved(padding);
      for (const auto& block : stages_[stage]) x = block->forward(x, padding.mask);
    }
    return {.map = {},
            .tokens = {},
            .pooled = pooling_->forward(x.transpose(1, 2), padding).pooled,
            .weights = {}};
  }

  int64_t width() const override { return width_; }

 private:
  // Of every second step, the first one included.
  static Padding halved(const Padding& padding) {
    if (!padding.mask.defined()) return {};
    return {.lengths = (padding.lengths + 1).floor_divide(2),
            .mask = padding.mask.slice(1, 0, std::nullopt, 2)};
  }

  int64_t width_;
  std::shared_ptr<SequenceInput> input_;
  std::shared_ptr<MaskedConv> stem_;
  std::vector<std::vector<std::shared_ptr<Residual1d>>> stages_;
  std::shared_ptr<SequencePooling> pooling_;
};

}  // namespace

EncoderPtr resnet1d(const ResNet1dOptions& options, const InputShape& shape) {
  return std::make_shared<ResNet1d>(options, shape);
}

}  // namespace fovea::nn
