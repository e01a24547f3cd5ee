#include "fovea/nn/encoders/rnn.h"

#include <torch/nn/module.h>

#include <cmath>

namespace fovea::nn {
namespace {

using torch::Tensor;

class Recurrent : public torch::nn::Module, public Initialized {
 public:
  Recurrent(const RnnOptions& o, int64_t in)
      : cell_(o.cell),
        width_(o.width),
        depth_(o.depth),
        directions_(o.bidirectional ? 2 : 1),
        dropout_(o.depth > 1 ? o.dropout : 0) {
    const int64_t gates = cell_ == "lstm" ? 4 : cell_ == "gru" ? 3 : 1;
    for (int64_t layer = 0; layer < depth_; ++layer) {
      for (const char* direction : {"", "_reverse"}) {
        if (*direction && directions_ == 1) continue;
        const std::string ending = "_l" + std::to_string(layer) + direction;
        const int64_t from = layer == 0 ? in : directions_ * width_;
        const auto add = [&](const char* name, at::IntArrayRef shape) {
          weights_.push_back(register_parameter(name + ending, torch::empty(shape)));
        };
        add("weight_ih", {gates * width_, from});
        add("weight_hh", {gates * width_, width_});
        add("bias_ih", {gates * width_});
        add("bias_hh", {gates * width_});
      }
    }
  }

  /// [N, L, in] -> [N, L, directions x width], zeros on padding.
  Tensor forward(const Tensor& x, const Padding& padding) {
    const Tensor zeros = torch::zeros({depth_ * directions_, x.size(0), width_}, x.options());
    const bool both = directions_ == 2, train = is_training();
    if (!padding.mask.defined()) {
      if (cell_ == "lstm")
        return std::get<0>(at::lstm(x, {zeros, zeros}, weights_, true, depth_, dropout_, train,
                                    both,
                                    /*batch_first=*/true));
      if (cell_ == "gru")
        return std::get<0>(
            at::gru(x, zeros, weights_, true, depth_, dropout_, train, both, /*batch_first=*/true));
      return std::get<0>(at::rnn_tanh(x, zeros, weights_, true, depth_, dropout_, train, both,
                                      /*batch_first=*/true));
    }
    // Packed: the longest case first, and no step of any case beyond its end.
    const auto [lengths, order] = padding.lengths.sort(0, /*descending=*/true);
    const auto [data, sizes] = at::_pack_padded_sequence(x.index_select(0, order.to(x.device())),
                                                         lengths, /*batch_first=*/true);
    Tensor steps;
    if (cell_ == "lstm")
      steps = std::get<0>(
          at::lstm(data, sizes, {zeros, zeros}, weights_, true, depth_, dropout_, train, both));
    else if (cell_ == "gru")
      steps =
          std::get<0>(at::gru(data, sizes, zeros, weights_, true, depth_, dropout_, train, both));
    else
      steps = std::get<0>(
          at::rnn_tanh(data, sizes, zeros, weights_, true, depth_, dropout_, train, both));
    const Tensor padded =
        std::get<0>(at::_pad_packed_sequence(steps, sizes, /*batch_first=*/true, 0, x.size(1)));
    return padded.index_select(0, order.argsort().to(x.device()));
  }

  void initialize(at::Generator& generator) override {
    const double bound = 1 / std::sqrt(static_cast<double>(width_));
    for (Tensor& weight : weights_) weight.uniform_(-bound, bound, generator);
  }

 private:
  std::string cell_;
  int64_t width_, depth_, directions_;
  double dropout_;
  std::vector<Tensor> weights_;
};

class Rnn : public Encoder {
 public:
  Rnn(const RnnOptions& o, const InputShape& shape)
      : width_(o.width), both_(o.bidirectional), last_(o.pooling == "last") {
    input_ = register_module(
        "input", std::make_shared<SequenceInput>("rnn", shape, o.embedding, 1, o.token_dropout));
    rnn_ = register_module("rnn", std::make_shared<Recurrent>(o, input_->width()));
    pooling_ = register_module("pooling", std::make_shared<SequencePooling>(o.pooling, width()));
  }

  Features encode(const Tensor& input, const Tensor& lengths) override {
    const Padding padding = padding_of("rnn", input, lengths);
    const Tensor tokens = rnn_->forward(input_->forward(input, padding), padding);
    auto [pooled, weights] = pooling_->forward(tokens, padding);
    // The backward direction ends at the first step.
    if (last_ && both_)
      pooled = at::cat({pooled.slice(1, 0, width_), tokens.select(1, 0).slice(1, width_)}, 1);
    return {.map = {}, .tokens = tokens, .pooled = pooled, .weights = weights};
  }

  int64_t width() const override { return both_ ? 2 * width_ : width_; }

 private:
  int64_t width_;
  bool both_, last_;
  std::shared_ptr<SequenceInput> input_;
  std::shared_ptr<Recurrent> rnn_;
  std::shared_ptr<SequencePooling> pooling_;
};

}  // namespace

EncoderPtr rnn(const RnnOptions& options, const InputShape& shape) {
  return std::make_shared<Rnn>(options, shape);
}

}  // namespace fovea::nn
