#pragma once

#include "fovea/tasks/losses.h"

namespace fovea::tasks {

/// The squared error of a number.
LossPtr mean_squared_error(const NoOptions& options, const TargetSpec& target);

}  // namespace fovea::tasks
