#include "fovea/tasks/losses/huber.h"

#include "tasks/losses/number_loss.h"

namespace fovea::tasks {

using torch::Tensor;

LossPtr huber(const HuberOptions& options, const TargetSpec& target) {
  return std::make_shared<NumberLoss>("huber", target, [delta = options.delta](const Tensor& e) {
    return at::huber_loss(e, torch::zeros_like(e), at::Reduction::None, delta);
  });
}

}  // namespace fovea::tasks
