// Regression: a quantity in its own unit, such as an age or the cycles that remain.
#pragma once

#include "fovea/tasks/losses.h"
#include "fovea/tasks/task.h"

namespace fovea::tasks {

struct RegressionLossChoice : Choice<LossPtr(const TargetSpec&)> {
  RegressionLossChoice() : Choice(losses(), "mse") {}
};

struct RegressionOptions {
  RegressionLossChoice loss{};
  void describe(Fields& f) { f("loss", loss, "mse, mae or huber"); }
};

/// A head of one output per target, which is in deviations from the mean of the training cases;
/// decoded numbers are in the target's unit. Several targets: as `multi_task` does.
///
/// A config Error where a target is not a number.
TaskPtr regression(const RegressionOptions& options, const std::vector<TargetSpec>& targets);

}  // namespace fovea::tasks
