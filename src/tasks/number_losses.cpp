#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/tasks/losses.h"

namespace fovea::tasks {
namespace {

using torch::Tensor;

/// The sum of a function of the error over the cases whose number is known.
class NumberLoss final : public Loss {
 public:
  using OfError = std::function<Tensor(const Tensor&)>;
  NumberLoss(const char* name, const TargetSpec& target, OfError of_error)
      : of_error_(std::move(of_error)) {
    if (target.type != "number")
      throw config_error(
          fmt::format("target '{}' has {}, {} expects a number: use cross_entropy, bce or focal",
                      target.name, target.type, name));
  }

  LossSum operator()(const Tensor& outputs, const Tensor& targets) const override {
    const Tensor error = outputs.squeeze(1) - targets.to(outputs).nan_to_num(0);
    return {of_error_(error).masked_fill(targets.isnan(), 0).sum(), weight(targets)};
  }

  Tensor weight(const Tensor& targets) const override {
    return targets.isnan().logical_not().sum(torch::kDouble);
  }

 private:
  OfError of_error_;
};

}  // namespace

LossPtr mean_squared_error(const NoOptions&, const TargetSpec& target) {
  return std::make_shared<NumberLoss>("mse", target, [](const Tensor& e) { return e.square(); });
}

LossPtr mean_absolute_error(const NoOptions&, const TargetSpec& target) {
  return std::make_shared<NumberLoss>("mae", target, [](const Tensor& e) { return e.abs(); });
}

LossPtr huber(const HuberOptions& options, const TargetSpec& target) {
  return std::make_shared<NumberLoss>("huber", target, [delta = options.delta](const Tensor& e) {
    return at::huber_loss(e, torch::zeros_like(e), at::Reduction::None, delta);
  });
}

}  // namespace fovea::tasks
