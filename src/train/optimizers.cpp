#include "fovea/train/optimizers.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>

namespace fovea::train {
namespace {

using torch::Tensor;
using Groups = std::vector<ParameterGroup>;

class Sgd final : public Optimizer {
 public:
  Sgd(const SgdOptions& options, const Groups& groups)
      : Optimizer(groups, options.lr, options.weight_decay,
                  options.momentum > 0 ? std::vector<std::string>{"momentum"}
                                       : std::vector<std::string>{}),
        options_(options) {
    if (options.nesterov && options.momentum == 0)
      throw config_error("SgdOptions::nesterov needs a momentum above 0",
                         "set SgdOptions::momentum");
  }

 private:
  // The buffers start at 0, so the first step needs no case of its own: 0 * momentum + g is g.
  void update(Lists& lists) override {
    at::_fused_sgd_(lists.parameters, lists.gradients,
                    options_.momentum > 0 ? at::TensorList(lists.slots[0]) : at::TensorList(),
                    lists.weight_decay, options_.momentum, lists.lr, /*dampening=*/0,
                    options_.nesterov, /*maximize=*/false, /*is_first_step=*/false,
                    /*grad_scale=*/{}, lists.skip);
  }

  SgdOptions options_;
};

template <class Options>
class Adam final : public Optimizer {
 public:
  Adam(const Options& options, const Groups& groups)
      : Optimizer(groups, options.lr, options.weight_decay, {"exp_avg", "exp_avg_sq"}),
        options_(options) {}

 private:
  void update(Lists& lists) override {
    const auto apply = [&](auto&& kernel) {
      kernel(lists.parameters, lists.gradients, lists.slots[0], lists.slots[1], at::TensorList(),
             lists.steps, lists.lr, options_.beta1, options_.beta2, lists.weight_decay,
             options_.eps, /*amsgrad=*/false, /*maximize=*/false, std::optional<Tensor>(),
             std::optional<Tensor>(lists.skip));
    };
    if constexpr (std::same_as<Options, AdamWOptions>) {
      apply([](auto&&... a) { at::_fused_adamw_(a...); });
    } else {
      apply([](auto&&... a) { at::_fused_adam_(a...); });
    }
  }

  Options options_;
};

/// No fused kernel exists, so `skip` is read by the host here.
class Rmsprop final : public Optimizer {
 public:
  Rmsprop(const RmspropOptions& options, const Groups& groups)
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

template <class Made>
constexpr auto maker = [](const auto& options, const Groups& groups) -> OptimizerPtr {
  return std::make_unique<Made>(options, groups);
};

}  // namespace

void SgdOptions::describe(Fields& f) {
  f("lr", lr, "learning rate").above(0);
  f("momentum", momentum, "share of the last move that goes on").at_least(0).below(1);
  f("nesterov", nesterov, "look ahead along the momentum");
  f("weight_decay", weight_decay, "L2; not on norms and biases").at_least(0);
}

namespace {
template <class Options>
void describe_adam(Fields& f, Options& options, std::string_view decay) {
  f("lr", options.lr, "learning rate").above(0);
  f("beta1", options.beta1, "memory of the mean of the gradients").at_least(0).below(1);
  f("beta2", options.beta2, "memory of the mean of their squares").at_least(0).below(1);
  f("eps", options.eps, "added to the root of the latter").above(0);
  f("weight_decay", options.weight_decay, decay).at_least(0);
}
}  // namespace

void AdamOptions::describe(Fields& f) { describe_adam(f, *this, "L2; not on norms and biases"); }

void AdamWOptions::describe(Fields& f) {
  describe_adam(f, *this, "share of the weight per step and rate; not on norms and biases");
}

void RmspropOptions::describe(Fields& f) {
  f("lr", lr, "learning rate").above(0);
  f("alpha", alpha, "memory of the mean square of the gradients").at_least(0).below(1);
  f("eps", eps, "added to its root").above(0);
  f("momentum", momentum, "share of the last move that goes on").at_least(0).below(1);
  f("weight_decay", weight_decay, "L2; not on norms and biases").at_least(0);
}

const OptimizerTable& optimizers() {
  static const OptimizerTable table(
      "optimizers",
      {
          OptimizerTable::item<SgdOptions>("sgd", "gradient descent with momentum", maker<Sgd>),
          OptimizerTable::item<AdamOptions>("adam", "Kingma and Ba 2015; decay as L2",
                                            maker<Adam<AdamOptions>>),
          OptimizerTable::item<AdamWOptions>(
              "adamw", "Adam with decay apart from the gradient (Loshchilov and Hutter 2019)",
              maker<Adam<AdamWOptions>>),
          OptimizerTable::item<RmspropOptions>("rmsprop", "Tieleman and Hinton 2012",
                                               maker<Rmsprop>),
      });
  return table;
}

}  // namespace fovea::train
