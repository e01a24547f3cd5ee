// What adam and adamw share.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "fovea/train/optimizers.h"

namespace fovea::train {

template <class Options>
class AdamLike : public Optimizer {
 public:
  AdamLike(const Options& options, const std::vector<ParameterGroup>& groups)
      : Optimizer(groups, options.lr, options.weight_decay, {"exp_avg", "exp_avg_sq"}),
        options_(options) {}

 protected:
  /// Calls a fused kernel of LibTorch.
  template <class Kernel>
  void apply(Lists& lists, const Kernel& kernel) {
    kernel(lists.parameters, lists.gradients, lists.slots[0], lists.slots[1], at::TensorList(),
           lists.steps, lists.lr, options_.beta1, options_.beta2, lists.weight_decay, options_.eps,
           /*amsgrad=*/false, /*maximize=*/false, std::optional<torch::Tensor>(),
           std::optional<torch::Tensor>(lists.skip));
  }

 private:
  Options options_;
};

template <class Options>
void describe_adam(Fields& f, Options& options, std::string_view decay) {
  f("lr", options.lr, "learning rate").above(0);
  f("beta1", options.beta1, "decay of the running mean of the gradients").at_least(0).below(1);
  f("beta2", options.beta2, "decay of the running mean of their squares").at_least(0).below(1);
  f("eps", options.eps, "added to the square root of the latter").above(0);
  f("weight_decay", options.weight_decay, decay).at_least(0);
}

}  // namespace fovea::train
