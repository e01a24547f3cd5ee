#include "fovea/nn/fusion/gated.h"

#include <torch/nn/module.h>

#include <cmath>

#include "fovea/nn/layers.h"
#include "nn/fusion/pooled.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class Gated final : public Fusion {
 public:
  Gated(const GatedOptions& options, const Widths& widths) : width_(options.width) {
    for (const PartWidths& width : widths)
      values_.push_back(register_module("value" + std::to_string(values_.size()),
                                        std::make_shared<Linear>(width.pooled, width_)));
    gate_ = register_module("gate", std::make_shared<Linear>(sum_of(widths), std::ssize(widths)));
  }

  std::vector<Tensor> join(const std::vector<Part>& parts) override {
    auto scores = gate_->forward(at::cat(pooled_of(parts), 1)).unbind(1);
    std::vector<Tensor> values;
    for (size_t i = 0; i < parts.size(); ++i) {
      values.push_back(values_[i]->forward(parts[i].pooled).tanh());
      if (parts[i].present.defined())
        scores[i] = scores[i].masked_fill(parts[i].present.logical_not(), -INFINITY);
    }
    const Tensor shares = at::_safe_softmax(at::stack(scores, 1), 1);  // [N, parts]
    return {(at::stack(values, 1) * shares.unsqueeze(2)).sum(1)};
  }

  std::vector<int64_t> widths() const override { return {width_}; }

 private:
  int64_t width_;
  std::vector<std::shared_ptr<Linear>> values_;
  std::shared_ptr<Linear> gate_;
};

}  // namespace

FusionPtr gated(const GatedOptions& options, const Widths& widths) {
  return std::make_shared<Gated>(options, widths);
}

}  // namespace fovea::nn
