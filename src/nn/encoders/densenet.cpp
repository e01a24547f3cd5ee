#include "fovea/nn/encoders/densenet.h"

#include <torch/nn/module.h>

#include "fovea/core/error.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

constexpr int64_t kBottleneck = 4;  // channels of the 1x1 convolution, in units of the growth

std::shared_ptr<Conv> conv(int64_t dims, ConvOptions options) {
  options.init = Init::he_in;
  return std::make_shared<Conv>(dims, std::move(options));
}

/// Adds `growth` channels to what it reads.
class DenseLayer : public torch::nn::Module, public Foldable {
 public:
  DenseLayer(int64_t dims, int64_t in, int64_t growth)
      : norm1_(register_module("norm1", std::make_shared<BatchNorm>(in))),
        conv1_(register_module("conv1", conv(dims, same_conv(in, kBottleneck * growth, 1)))),
        norm2_(register_module("norm2", std::make_shared<BatchNorm>(kBottleneck * growth))),
        conv2_(register_module("conv2", conv(dims, same_conv(kBottleneck * growth, growth, 3)))) {}

  Tensor forward(const Tensor& x) {
    const Tensor y = norm2_->forward(conv1_->forward(norm1_->forward(x).relu_())).relu_();
    return at::cat({x, conv2_->forward(y)}, 1);
  }
  void fold() override { nn::fold(*conv1_, *norm2_); }

 private:
  std::shared_ptr<BatchNorm> norm1_;
  std::shared_ptr<Conv> conv1_;
  std::shared_ptr<BatchNorm> norm2_;
  std::shared_ptr<Conv> conv2_;
};

class DenseBlock : public torch::nn::Module {
 public:
  DenseBlock(int64_t dims, int64_t layers, int64_t in, int64_t growth) {
    for (int64_t i = 0; i < layers; ++i)
      layers_.push_back(
          register_module("denselayer" + std::to_string(i + 1),
                          std::make_shared<DenseLayer>(dims, in + i * growth, growth)));
  }
  Tensor forward(Tensor x) {
    for (const auto& layer : layers_) x = layer->forward(x);
    return x;
  }

 private:
  std::vector<std::shared_ptr<DenseLayer>> layers_;
};

/// Halves the channels and the size. A side of 1 stays.
class Transition : public torch::nn::Module {
 public:
  Transition(int64_t dims, int64_t in)
      : norm_(register_module("norm", std::make_shared<BatchNorm>(in))),
        conv_(register_module("conv", conv(dims, same_conv(in, in / 2, 1)))) {}
  Tensor forward(const Tensor& x) { return halve(conv_->forward(norm_->forward(x).relu_())); }

 private:
  std::shared_ptr<BatchNorm> norm_;
  std::shared_ptr<Conv> conv_;
};

std::array<int64_t, 4> layers_of(int64_t depth) {
  switch (depth) {
    case 121:
      return {6, 12, 24, 16};
    case 169:
      return {6, 12, 32, 32};
    case 201:
      return {6, 12, 48, 32};
  }
  throw config_error("densenet: found depth " + std::to_string(depth) + ", wanted 121, 169 or 201");
}

/// "features.…"
class DenseFeatures : public torch::nn::Module, public Foldable {
 public:
  DenseFeatures(const DenseNetOptions& options, const InputShape& shape)
      : imagenet_stem_(options.stem == "imagenet") {
    const int64_t dims = shape.dims();
    channels_ = 2 * options.growth;
    conv0_ = register_module(
        "conv0", conv(dims, imagenet_stem_ ? same_conv(shape.channels(), channels_, 7, 2)
                                           : same_conv(shape.channels(), channels_, 3)));
    norm0_ = register_module("norm0", std::make_shared<BatchNorm>(channels_));
    for (const int64_t layers : layers_of(options.depth)) {
      const std::string number = std::to_string(dense_.size() + 1);
      dense_.push_back(
          register_module("denseblock" + number,
                          std::make_shared<DenseBlock>(dims, layers, channels_, options.growth)));
      channels_ += layers * options.growth;
      if (dense_.size() < 4) {
        transitions_.push_back(
            register_module("transition" + number, std::make_shared<Transition>(dims, channels_)));
        channels_ /= 2;
      }
      stage_channels_.push_back(channels_);
    }
    norm5_ = register_module("norm5", std::make_shared<BatchNorm>(channels_));
  }

  Tensor forward(const Tensor& input, PlacedBlocks& attention) {
    Tensor x = norm0_->forward(conv0_->forward(input)).relu_();
    if (imagenet_stem_) x = max_pool(x, 3, 2, 1);
    for (size_t stage = 0; stage < dense_.size(); ++stage) {
      x = dense_[stage]->forward(x);
      x = stage < transitions_.size() ? transitions_[stage]->forward(x)
                                      : norm5_->forward(x).relu_();
      x = attention.forward(static_cast<int64_t>(stage) + 1, x);
    }
    return x;
  }

  void fold() override { nn::fold(*conv0_, *norm0_); }
  int64_t channels() const { return channels_; }
  const std::vector<int64_t>& stage_channels() const { return stage_channels_; }

 private:
  bool imagenet_stem_;
  int64_t channels_;
  std::vector<int64_t> stage_channels_;
  std::shared_ptr<Conv> conv0_;
  std::shared_ptr<BatchNorm> norm0_;
  std::vector<std::shared_ptr<DenseBlock>> dense_;
  std::vector<std::shared_ptr<Transition>> transitions_;
  std::shared_ptr<BatchNorm> norm5_;
};

class DenseNet : public Encoder {
 public:
  DenseNet(const DenseNetOptions& options, const InputShape& shape)
      : features_(register_module("features", std::make_shared<DenseFeatures>(options, shape))),
        attention_(register_module(
            "attention", std::make_shared<PlacedBlocks>(
                             options.attention, features_->stage_channels(), shape.dims()))),
        pooling_(register_module(
            "pooling", std::make_shared<Pooling>(options.pooling, features_->channels()))) {}

  Features encode(const Tensor& input, const Tensor&) override {
    const Tensor map = features_->forward(input, *attention_);
    return {.map = map, .tokens = {}, .pooled = pooling_->forward(map)};
  }
  int64_t width() const override { return pooling_->width(); }
  int64_t token_width() const override { return pooling_->channels(); }

 private:
  std::shared_ptr<DenseFeatures> features_;
  std::shared_ptr<PlacedBlocks> attention_;
  std::shared_ptr<Pooling> pooling_;
};

}  // namespace

EncoderPtr densenet(const DenseNetOptions& options, const InputShape& shape) {
  check_image("densenet", shape);
  return std::make_shared<DenseNet>(options, shape);
}

}  // namespace fovea::nn
