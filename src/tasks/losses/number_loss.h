// What the losses of a number share.
#pragma once

#include <fmt/format.h>
#include <torch/types.h>

#include <functional>
#include <utility>

#include "fovea/core/error.h"
#include "fovea/tasks/losses.h"

namespace fovea::tasks {

/// The sum of a function of the error over the cases whose number is known.
class NumberLoss final : public Loss {
 public:
  using OfError = std::function<torch::Tensor(const torch::Tensor&)>;
  NumberLoss(const char* name, const TargetSpec& target, OfError of_error)
      : of_error_(std::move(of_error)) {
    if (target.type != "number")
      throw config_error(
          fmt::format("target '{}' has {}, {} expects a number: use cross_entropy, bce or focal",
                      target.name, target.type, name));
  }

  LossSum operator()(const torch::Tensor& outputs, const torch::Tensor& targets) const override {
    const torch::Tensor error = outputs.squeeze(1) - targets.to(outputs).nan_to_num(0);
    return {of_error_(error).masked_fill(targets.isnan(), 0).sum(), weight(targets)};
  }

  torch::Tensor weight(const torch::Tensor& targets) const override {
    return targets.isnan().logical_not().sum(torch::kDouble);
  }

 private:
  OfError of_error_;
};

}  // namespace fovea::tasks
