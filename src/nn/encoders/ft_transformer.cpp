#include "fovea/nn/encoders/ft_transformer.h"

#include <torch/nn/module.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fovea/nn/layers.h"
#include "fovea/nn/table.h"
#include "fovea/nn/transformer.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

constexpr double kEpsilon = 1e-5;  // of the norms, as in the paper's program

/// A number x becomes x w + b, a category its own vector + b; w and b are a column's.
class Tokenizer : public torch::nn::Module, public Initialized {
 public:
  Tokenizer(Columns columns, int64_t width) : columns_(std::move(columns)), width_(width) {
    if (columns_.numbers() > 0)
      weight_ = register_parameter("weight", torch::empty({columns_.numbers(), width}));
    const auto& counts = columns_.counts();
    if (!counts.empty()) {
      const int64_t all = std::accumulate(counts.begin(), counts.end(), int64_t{0});
      categories_ = register_parameter("categories", torch::empty({all, width}));
      first_.resize(counts.size());
      std::exclusive_scan(counts.begin(), counts.end(), first_.begin(), int64_t{0});
    }
    bias_ = register_parameter("bias", torch::empty({columns_.size(), width}));
  }

  /// [N, F] -> [N, F, width]
  Tensor forward(const Tensor& input) {
    std::vector<Tensor> parts;
    if (weight_.defined()) parts.push_back(columns_.numbers_of(input).unsqueeze(2) * weight_);
    if (categories_.defined()) {
      const Tensor ids = columns_.categories_of(input);
      parts.push_back(at::embedding(categories_, ids + torch::tensor(first_, ids.options())));
    }
    return columns_.in_order(parts.size() == 1 ? parts[0] : at::cat(parts, 1)) + bias_;
  }

  void initialize(at::Generator& generator) override {
    const double bound = 1 / std::sqrt(static_cast<double>(width_));
    for (Tensor* parameter : {&weight_, &categories_, &bias_})
      if (parameter->defined()) parameter->uniform_(-bound, bound, generator);
  }

 private:
  Columns columns_;
  int64_t width_;
  std::vector<int64_t> first_;  ///< row of `categories_` where each column's begin
  Tensor weight_, categories_, bias_;
};

class FtTransformer : public Encoder, public Initialized {
 public:
  FtTransformer(const FtTransformerOptions& o, const InputShape& shape) : width_(o.width) {
    Columns columns("ft_transformer", shape);
    check_heads("ft_transformer", o.width, o.heads);
    cls_token_ = register_parameter("cls_token", torch::empty({1, 1, o.width}));
    tokenizer_ =
        register_module("tokenizer", std::make_shared<Tokenizer>(std::move(columns), o.width));
    const auto hidden = std::max<int64_t>(
        1, static_cast<int64_t>(std::floor(static_cast<double>(o.width) * o.ffn_factor)));
    blocks_ = register_module("blocks", std::make_shared<Transformer>(TransformerOptions{
                                            .width = o.width,
                                            .depth = o.depth,
                                            .heads = o.heads,
                                            .hidden = hidden,
                                            .gated = true,
                                            .first_norm = false,
                                            .attention_dropout = o.attention_dropout,
                                            .hidden_dropout = o.dropout,
                                            .epsilon = kEpsilon,
                                            .init = Init::uniform}));
    norm_ = register_module("norm", std::make_shared<LayerNorm>(o.width, kEpsilon));
  }

  Features encode(const Tensor& input, const Tensor&) override {
    Tensor x = tokenizer_->forward(input);
    x = at::cat({cls_token_.to(x.dtype()).expand({x.size(0), -1, -1}), x}, 1);
    Tensor row;
    x = blocks_->forward(x, {}, &row);
    return {.map = {},
            .tokens = x.slice(1, 1),
            .pooled = norm_->forward(x.select(1, 0)).relu(),
            .weights = without_class_token(row)};
  }

  int64_t width() const override { return width_; }

  void initialize(at::Generator& generator) override {
    const double bound = 1 / std::sqrt(static_cast<double>(width_));
    cls_token_.uniform_(-bound, bound, generator);
  }

 private:
  int64_t width_;
  Tensor cls_token_;
  std::shared_ptr<Tokenizer> tokenizer_;
  std::shared_ptr<Transformer> blocks_;
  std::shared_ptr<LayerNorm> norm_;
};

}  // namespace

EncoderPtr ft_transformer(const FtTransformerOptions& options, const InputShape& shape) {
  return std::make_shared<FtTransformer>(options, shape);
}

}  // namespace fovea::nn
