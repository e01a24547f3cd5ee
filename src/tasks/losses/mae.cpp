#include "fovea/tasks/losses/mae.h"

#include "tasks/losses/number_loss.h"

namespace fovea::tasks {

using torch::Tensor;

LossPtr mean_absolute_error(const NoOptions&, const TargetSpec& target) {
  return std::make_shared<NumberLoss>("mae", target, [](const Tensor& e) { return e.abs(); });
}

}  // namespace fovea::tasks
