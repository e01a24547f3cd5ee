#include "fovea/train/optimizers/rmsprop.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

namespace fovea::train {
namespace {

using torch::Tensor;

/// No fused kernel exists, so `skip` is read by the host here.
class Rmsprop final : public Optimizer {
 public:
  Rmsprop(const RmspropOptions& options, const std::vector<ParameterGroup>& groups)
      : Optimizer(groups, options.lr, options.weight_decay,
                  options.momentum > 0 ? std::vector<std::string>{"square_avg", "momentum"}
                                       : std::vector<std::string>{"square_avg"}),
        options_(options) {}

 private:
  void update(Lists& lists) override {
    if (lists.skip.item<float>() != 0) return;
    std::vector<Tensor> gradients = lists.gradients;
    if (lists.weight_decay != 0)
      gradients = at::_foreach_add(gradients, lists.parameters, lists.weight_decay);
    at::_foreach_mul_(lists.slots[0], options_.alpha);
    at::_foreach_addcmul_(lists.slots[0], gradients, gradients, 1 - options_.alpha);
    std::vector<Tensor> root = at::_foreach_sqrt(lists.slots[0]);
    at::_foreach_add_(root, options_.eps);
    if (options_.momentum == 0) {
      at::_foreach_addcdiv_(lists.parameters, gradients, root, -lists.lr);
      return;
    }
    at::_foreach_mul_(lists.slots[1], options_.momentum);
    at::_foreach_addcdiv_(lists.slots[1], gradients, root);
    at::_foreach_add_(lists.parameters, lists.slots[1], -lists.lr);
  }

  RmspropOptions options_;
};

}  // namespace

void RmspropOptions::describe(Fields& f) {
  f("lr", lr, "learning rate").above(0);
  f("alpha", alpha, "decay of the running mean of the squared gradients").at_least(0).below(1);
  f("eps", eps, "added to its square root").above(0);
  f("momentum", momentum, "fraction of the last update that is carried on").at_least(0).below(1);
  f("weight_decay", weight_decay, "L2 penalty; not on normalization layers and biases").at_least(0);
}

OptimizerPtr rmsprop(const RmspropOptions& options, const std::vector<ParameterGroup>& groups) {
  return std::make_unique<Rmsprop>(options, groups);
}

}  // namespace fovea::train
