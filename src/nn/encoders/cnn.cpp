#include "fovea/nn/encoders/cnn.h"

#include <torch/nn/module.h>

#include "fovea/core/error.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class Stage : public torch::nn::Module, public Foldable {
 public:
  Stage(int64_t dims, int64_t in, int64_t out)
      : conv_(register_module("conv", std::make_shared<Conv>(dims, same_conv(in, out, 3)))),
        norm_(register_module("norm", std::make_shared<BatchNorm>(out))) {}
  // Rounding up keeps a side of 1.
  Tensor forward(const Tensor& x) {
    return max_pool(norm_->forward(conv_->forward(x)).relu_(), 2, 2, 0, /*ceil=*/true);
  }
  void fold() override { nn::fold(*conv_, *norm_); }

 private:
  std::shared_ptr<Conv> conv_;
  std::shared_ptr<BatchNorm> norm_;
};

class Cnn : public Encoder {
 public:
  Cnn(const CnnOptions& options, const InputShape& shape) {
    if (options.channels.empty())
      throw config_error("cnn: found no channels, wanted the channels of at least one stage");
    int64_t in = shape.channels();
    for (const int64_t out : options.channels) {
      stages_.push_back(register_module("stage" + std::to_string(stages_.size() + 1),
                                        std::make_shared<Stage>(shape.dims(), in, out)));
      in = out;
    }
    attention_ = register_module(
        "attention",
        std::make_shared<PlacedBlocks>(options.attention, options.channels, shape.dims()));
    pooling_ = register_module("pooling", std::make_shared<Pooling>(options.pooling, in));
  }

  Features encode(const Tensor& input, const Tensor&) override {
    Tensor x = input;
    for (size_t stage = 0; stage < stages_.size(); ++stage)
      x = attention_->forward(static_cast<int64_t>(stage) + 1, stages_[stage]->forward(x));
    return {.map = x, .tokens = {}, .pooled = pooling_->forward(x)};
  }
  int64_t width() const override { return pooling_->width(); }
  int64_t token_width() const override { return pooling_->channels(); }

 private:
  std::vector<std::shared_ptr<Stage>> stages_;
  std::shared_ptr<PlacedBlocks> attention_;
  std::shared_ptr<Pooling> pooling_;
};

}  // namespace

EncoderPtr cnn(const CnnOptions& options, const InputShape& shape) {
  check_image("cnn", shape);
  return std::make_shared<Cnn>(options, shape);
}

}  // namespace fovea::nn
