#include "fovea/nn/encoders/sequence_transformer.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/nn/transformer.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

/// [L, width]: sin and cos of p / 10000^(2 i / width), in turns (Vaswani et al., section 3.5).
Tensor sines(int64_t length, int64_t width, const at::TensorOptions& options) {
  const auto exact = options.dtype(torch::kFloat64);
  const Tensor pair = torch::arange(width, exact).div(2, "floor");
  const Tensor rate = (pair * (-2 * std::log(10000.0) / static_cast<double>(width))).exp();
  const Tensor turn =
      torch::arange(width, exact).remainder(2) * (M_PI / 2);  // cos x = sin(x + pi/2)
  return (torch::arange(length, exact).unsqueeze(1) * rate + turn).sin().to(options.dtype());
}

class SequenceTransformer : public Encoder, public Initialized {
 public:
  SequenceTransformer(const SequenceTransformerOptions& o, const InputShape& shape)
      : width_(o.width),
        max_length_(o.max_length),
        rotary_(o.positions == "rotary"),
        dropout_(o.dropout) {
    check_heads("transformer", o.width, o.heads);
    if (rotary_ && o.width / o.heads % 2 != 0)
      throw config_error(fmt::format(
          "transformer: found width {} and {} heads, wanted an even width of a head for rotary "
          "positions",
          o.width, o.heads));
    const bool learned = o.positions == "learned";
    // Beside sines, which are not small, the vector of a token begins as large.
    input_ = register_module(
        "input", std::make_shared<SequenceInput>("transformer", shape, o.width,
                                                 o.positions == "sinusoidal" ? 1 : 0.02));
    if (!input_->text())
      project_ = register_module("project", std::make_shared<Linear>(input_->width(), o.width));
    if (learned)
      pos_embed_ = register_parameter("pos_embed", torch::empty({1, o.max_length, o.width}));
    if (o.pooling == "class_token")
      cls_token_ = register_parameter("cls_token", torch::empty({1, 1, o.width}));
    blocks_ = register_module("blocks", std::make_shared<Transformer>(TransformerOptions{
                                            .width = o.width,
                                            .depth = o.depth,
                                            .heads = o.heads,
                                            .hidden = o.ffn.value_or(4 * o.width),
                                            .pre_norm = o.norm == "pre",
                                            .rotary = rotary_,
                                            .dropout = o.dropout,
                                            .attention_dropout = o.dropout,
                                            .hidden_dropout = o.dropout}));
    if (o.norm == "pre") norm_ = register_module("norm", std::make_shared<LayerNorm>(o.width));
    if (!cls_token_.defined())
      pooling_ = register_module("pooling", std::make_shared<SequencePooling>(o.pooling, o.width));
  }

  Features encode(const Tensor& input, const Tensor& lengths) override {
    const Padding padding = padding_of("transformer", input, lengths);
    Tensor x = input_->forward(input, padding);
    if (project_) x = project_->forward(x);
    x = at::dropout(rotary_ ? x : x + places(x), dropout_, is_training());
    Tensor mask = padding.mask, row;
    if (cls_token_.defined()) {
      x = at::cat({cls_token_.to(x.dtype()).expand({x.size(0), -1, -1}), x}, 1);
      if (mask.defined()) mask = at::constant_pad_nd(mask, {1, 0}, true);
    }
    x = blocks_->forward(x, mask, cls_token_.defined() ? &row : nullptr);
    if (norm_) x = norm_->forward(x);
    if (cls_token_.defined())
      return {.map = {},
              .tokens = padding.clear(x.slice(1, 1)),
              .pooled = x.select(1, 0),
              .weights = without_class_token(row)};
    x = padding.clear(x);
    const auto [pooled, weights] = pooling_->forward(x, padding);
    return {.map = {}, .tokens = x, .pooled = pooled, .weights = weights};
  }

  int64_t width() const override { return width_; }

  void initialize(at::Generator& generator) override {
    if (cls_token_.defined()) cls_token_.normal_(0, 0.02, generator);
    if (pos_embed_.defined()) pos_embed_.normal_(0, 0.02, generator);
  }

 private:
  Tensor places(const Tensor& x) const {
    const int64_t length = x.size(1);
    if (!pos_embed_.defined()) return sines(length, width_, x.options());
    if (length > max_length_)
      throw config_error(
          fmt::format("transformer: found {} tokens or time steps, wanted {} at most", length,
                      max_length_),
          "raise SequenceTransformerOptions::max_length, shorten the cases, or take sinusoidal "
          "positions");
    return pos_embed_.slice(1, 0, length);
  }

  int64_t width_, max_length_;
  bool rotary_;
  double dropout_;
  Tensor cls_token_, pos_embed_;
  std::shared_ptr<SequenceInput> input_;
  std::shared_ptr<Linear> project_;  ///< null: text
  std::shared_ptr<Transformer> blocks_;
  std::shared_ptr<LayerNorm> norm_;           ///< null: each block ends with one
  std::shared_ptr<SequencePooling> pooling_;  ///< null: the class token
};

}  // namespace

EncoderPtr sequence_transformer(const SequenceTransformerOptions& options,
                                const InputShape& shape) {
  return std::make_shared<SequenceTransformer>(options, shape);
}

}  // namespace fovea::nn
