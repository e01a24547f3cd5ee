#include "fovea/tasks/losses/mse.h"

#include "tasks/losses/number_loss.h"

namespace fovea::tasks {

using torch::Tensor;

LossPtr mean_squared_error(const NoOptions&, const TargetSpec& target) {
  return std::make_shared<NumberLoss>("mse", target, [](const Tensor& e) { return e.square(); });
}

}  // namespace fovea::tasks
