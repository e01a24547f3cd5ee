#include "fovea/nn/encoders/text_cnn.h"

#include <torch/nn/module.h>

#include <algorithm>
#include <cmath>

#include "fovea/core/error.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class TextCnn : public Encoder {
 public:
  TextCnn(const TextCnnOptions& o, const InputShape& shape)
      : kernels_(o.kernels), channels_(o.channels), dropout_(o.dropout) {
    if (kernels_.empty())
      throw config_error("text_cnn: found no kernels, wanted the length of one at least");
    input_ = register_module("input", std::make_shared<SequenceInput>(
                                          "text_cnn", shape, o.embedding, 1, o.token_dropout));
    for (const int64_t kernel : kernels_)
      convs_.push_back(
          register_module("conv" + std::to_string(convs_.size()),
                          std::make_shared<Conv>(1, ConvOptions{.in = input_->width(),
                                                                .out = channels_,
                                                                .kernel = {kernel},
                                                                .bias = true,
                                                                .init = Init::he_in})));
  }

  Features encode(const Tensor& input, const Tensor& lengths) override {
    const Padding padding = padding_of("text_cnn", input, lengths);
    const Tensor x = input_->forward(input, padding).transpose(1, 2);  // [N, C, L]
    std::vector<Tensor> parts;
    for (size_t i = 0; i < convs_.size(); ++i) {
      const int64_t missing = std::max<int64_t>(0, kernels_[i] - x.size(2));
      Tensor y = convs_[i]->forward(at::constant_pad_nd(x, {0, missing})).relu();
      if (padding.mask.defined()) {
        // A window counts that ends within its case; of a case shorter than the kernel the first.
        const Tensor last = (padding.mask.sum(1, true) - kernels_[i]).clamp_min(0);
        const Tensor starts = torch::arange(y.size(2), last.options());
        y = y.masked_fill((starts > last).unsqueeze(1), -INFINITY);
      }
      parts.push_back(y.amax(2));
    }
    return {.map = {},
            .tokens = {},
            .pooled = at::dropout(at::cat(parts, 1), dropout_, is_training()),
            .weights = {}};
  }

  int64_t width() const override { return channels_ * static_cast<int64_t>(kernels_.size()); }

 private:
  std::vector<int64_t> kernels_;
  int64_t channels_;
  double dropout_;
  std::shared_ptr<SequenceInput> input_;
  std::vector<std::shared_ptr<Conv>> convs_;
};

}  // namespace

EncoderPtr text_cnn(const TextCnnOptions& options, const InputShape& shape) {
  return std::make_shared<TextCnn>(options, shape);
}

}  // namespace fovea::nn
