#include "fovea/nn/encoders/resnet.h"

#include <torch/nn/module.h>
#include <torch/nn/modules/container/sequential.h>

#include "fovea/core/error.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

/// "downsample.0", "downsample.1": the projection of a shortcut whose shape changes.
class Shortcut : public torch::nn::Module, public Foldable {
 public:
  Shortcut(int64_t dims, int64_t in, int64_t out, int64_t stride)
      : conv_(register_module("0", std::make_shared<Conv>(dims, same_conv(in, out, 1, stride)))),
        norm_(register_module("1", std::make_shared<BatchNorm>(out))) {}
  Tensor forward(const Tensor& x) { return norm_->forward(conv_->forward(x)); }
  void fold() override { nn::fold(*conv_, *norm_); }

 private:
  std::shared_ptr<Conv> conv_;
  std::shared_ptr<BatchNorm> norm_;
};

/// Two 3x3 convolutions (depth 18, 34), or 1x1, 3x3, 1x1 with the stride on the 3x3 as in torchvision
/// (50 and more).
class Residual : public torch::nn::Module, public Foldable {
 public:
  Residual(int64_t dims, int64_t in, int64_t planes, int64_t stride, bool bottleneck) {
    const int64_t out = bottleneck ? 4 * planes : planes;
    if (bottleneck) {
      add(dims, same_conv(in, planes, 1));
      add(dims, same_conv(planes, planes, 3, stride));
      add(dims, same_conv(planes, out, 1));
    } else {
      add(dims, same_conv(in, planes, 3, stride));
      add(dims, same_conv(planes, planes, 3));
    }
    if (stride != 1 || in != out)
      shortcut_ = register_module("downsample", std::make_shared<Shortcut>(dims, in, out, stride));
  }

  Tensor forward(const Tensor& x) {
    Tensor y = x;
    for (size_t i = 0; i < convs_.size(); ++i) {
      y = norms_[i]->forward(convs_[i]->forward(y));
      if (i + 1 < convs_.size()) y = y.relu_();
    }
    return y.add_(shortcut_ ? shortcut_->forward(x) : x).relu_();
  }

  void fold() override {
    for (size_t i = 0; i < convs_.size(); ++i) nn::fold(*convs_[i], *norms_[i]);
  }

 private:
  void add(int64_t dims, const ConvOptions& options) {
    const std::string number = std::to_string(convs_.size() + 1);
    convs_.push_back(register_module("conv" + number, std::make_shared<Conv>(dims, options)));
    norms_.push_back(register_module("bn" + number, std::make_shared<BatchNorm>(options.out)));
  }

  std::vector<std::shared_ptr<Conv>> convs_;
  std::vector<std::shared_ptr<BatchNorm>> norms_;
  std::shared_ptr<Shortcut> shortcut_;
};

struct Plan {
  std::array<int64_t, 4> blocks;  ///< of each stage
  bool bottleneck;
};

Plan plan_of(int64_t depth) {
  switch (depth) {
    case 18:
      return {{2, 2, 2, 2}, false};
    case 34:
      return {{3, 4, 6, 3}, false};
    case 50:
      return {{3, 4, 6, 3}, true};
    case 101:
      return {{3, 4, 23, 3}, true};
  }
  throw config_error("resnet: found depth " + std::to_string(depth) + ", wanted 18, 34, 50 or 101");
}

class ResNet : public Encoder, public Foldable {
 public:
  ResNet(const ResNetOptions& options, const InputShape& shape)
      : imagenet_stem_(options.stem == "imagenet") {
    const int64_t dims = shape.dims();
    const Plan plan = plan_of(options.depth);
    int64_t channels = options.width;
    conv1_ = register_module(
        "conv1",
        std::make_shared<Conv>(dims, imagenet_stem_ ? same_conv(shape.channels(), channels, 7, 2)
                                                    : same_conv(shape.channels(), channels, 3)));
    bn1_ = register_module("bn1", std::make_shared<BatchNorm>(channels));

    std::vector<int64_t> stage_channels;
    for (int64_t stage = 0; stage < 4; ++stage) {
      const int64_t planes = options.width << stage;
      auto blocks = register_module("layer" + std::to_string(stage + 1),
                                    std::make_shared<torch::nn::SequentialImpl>());
      for (int64_t i = 0; i < plan.blocks[stage]; ++i) {
        const int64_t stride = i == 0 && stage > 0 ? 2 : 1;
        blocks->push_back(
            std::make_shared<Residual>(dims, channels, planes, stride, plan.bottleneck));
        channels = plan.bottleneck ? 4 * planes : planes;
      }
      stages_.push_back(blocks);
      stage_channels.push_back(channels);
    }
    attention_ = register_module(
        "attention", std::make_shared<PlacedBlocks>(options.attention, stage_channels, dims));
    pooling_ = register_module("pooling", std::make_shared<Pooling>(options.pooling, channels));
  }

  Features encode(const Tensor& input, const Tensor&) override {
    Tensor x = bn1_->forward(conv1_->forward(input)).relu_();
    if (imagenet_stem_) x = max_pool(x, 3, 2, 1);
    for (size_t stage = 0; stage < stages_.size(); ++stage)
      x = attention_->forward(static_cast<int64_t>(stage) + 1, stages_[stage]->forward(x));
    return {.map = x, .tokens = {}, .pooled = pooling_->forward(x)};
  }

  int64_t width() const override { return pooling_->width(); }
  int64_t token_width() const override { return pooling_->channels(); }
  void fold() override { nn::fold(*conv1_, *bn1_); }

 private:
  bool imagenet_stem_;
  std::shared_ptr<Conv> conv1_;
  std::shared_ptr<BatchNorm> bn1_;
  std::vector<std::shared_ptr<torch::nn::SequentialImpl>> stages_;
  std::shared_ptr<PlacedBlocks> attention_;
  std::shared_ptr<Pooling> pooling_;
};

}  // namespace

EncoderPtr resnet(const ResNetOptions& options, const InputShape& shape) {
  check_image("resnet", shape);
  return std::make_shared<ResNet>(options, shape);
}

}  // namespace fovea::nn
