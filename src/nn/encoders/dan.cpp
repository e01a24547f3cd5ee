#include "fovea/nn/encoders/dan.h"

#include <torch/nn/module.h>

namespace fovea::nn {
namespace {

using torch::Tensor;

class Dan : public Encoder {
 public:
  Dan(const DanOptions& o, const InputShape& shape) {
    // Begun small: what is common to all texts is learned before what is peculiar to one.
    input_ = register_module(
        "input", std::make_shared<SequenceInput>("dan", shape, o.embedding, 0.1, o.token_dropout));
    token_width_ = width_ = input_->width();
    pooling_ = register_module("pooling", std::make_shared<SequencePooling>(o.pooling, width_));
    for (const int64_t out : o.hidden) {
      layers_.push_back(register_module("layer" + std::to_string(layers_.size()),
                                        std::make_shared<Linear>(width_, out)));
      width_ = out;
    }
  }

  Features encode(const Tensor& input, const Tensor& lengths) override {
    const Padding padding = padding_of("dan", input, lengths);
    const Tensor tokens = input_->forward(input, padding);
    auto [pooled, weights] = pooling_->forward(tokens, padding);
    for (const auto& layer : layers_) pooled = layer->forward(pooled).relu();
    return {.map = {}, .tokens = tokens, .pooled = pooled, .weights = weights};
  }

  int64_t width() const override { return width_; }
  int64_t token_width() const override { return token_width_; }

 private:
  int64_t width_, token_width_;
  std::shared_ptr<SequenceInput> input_;
  std::shared_ptr<SequencePooling> pooling_;
  std::vector<std::shared_ptr<Linear>> layers_;
};

}  // namespace

EncoderPtr dan(const DanOptions& options, const InputShape& shape) {
  return std::make_shared<Dan>(options, shape);
}

}  // namespace fovea::nn
