#include "fovea/nn/encoders/mlp.h"

#include <torch/nn/module.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/table.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class Mlp : public Encoder {
 public:
  Mlp(const MlpOptions& options, const InputShape& shape)
      : columns_("mlp", shape), dropout_(options.dropout) {
    if (options.hidden.empty())
      throw config_error("mlp: found no hidden layer, wanted the width of one or more");
    int64_t in = columns_.numbers();
    for (const int64_t count : columns_.counts()) {
      const int64_t width = options.embedding.value_or(std::min<int64_t>(50, (count + 1) / 2));
      embeddings_.push_back(register_module("embedding" + std::to_string(embeddings_.size()),
                                            std::make_shared<Embedding>(count, width)));
      in += width;
    }
    for (const int64_t out : options.hidden) {
      layers_.push_back(register_module("layer" + std::to_string(layers_.size()),
                                        std::make_shared<Linear>(in, out)));
      in = out;
    }
    width_ = in;
  }

  Features encode(const Tensor& input, const Tensor&) override {
    std::vector<Tensor> parts;
    if (columns_.numbers() > 0) parts.push_back(columns_.numbers_of(input));
    if (!embeddings_.empty()) {
      const auto ids = columns_.categories_of(input).unbind(1);
      for (size_t i = 0; i < embeddings_.size(); ++i)
        parts.push_back(embeddings_[i]->forward(ids[i]));
    }
    Tensor x = parts.size() == 1 ? parts[0] : at::cat(parts, 1);
    for (const auto& layer : layers_) {
      x = layer->forward(x).relu_();
      if (is_training() && dropout_ > 0) x = at::dropout(x, dropout_, true);
    }
    return {.map = {}, .tokens = {}, .pooled = x, .weights = {}};
  }

  int64_t width() const override { return width_; }

 private:
  Columns columns_;
  double dropout_;
  int64_t width_ = 0;
  std::vector<std::shared_ptr<Embedding>> embeddings_;
  std::vector<std::shared_ptr<Linear>> layers_;
};

}  // namespace

EncoderPtr mlp(const MlpOptions& options, const InputShape& shape) {
  return std::make_shared<Mlp>(options, shape);
}

}  // namespace fovea::nn
