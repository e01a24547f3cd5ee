#include "fovea/train/optimizers/sgd.h"

#include <ATen/ops/_fused_sgd.h>

#include "fovea/core/error.h"

namespace fovea::train {
namespace {

class Sgd final : public Optimizer {
 public:
  Sgd(const SgdOptions& options, const std::vector<ParameterGroup>& groups)
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

}  // namespace

void SgdOptions::describe(Fields& f) {
  f("lr", lr, "learning rate").above(0);
  f("momentum", momentum, "fraction of the last update that is carried on").at_least(0).below(1);
  f("nesterov", nesterov, "Nesterov momentum");
  f("weight_decay", weight_decay, "L2 penalty; not on normalization layers and biases").at_least(0);
}

OptimizerPtr sgd(const SgdOptions& options, const std::vector<ParameterGroup>& groups) {
  return std::make_unique<Sgd>(options, groups);
}

}  // namespace fovea::train
