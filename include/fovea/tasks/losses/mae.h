#pragma once

#include "fovea/tasks/losses.h"

namespace fovea::tasks {

/// The absolute error of a number.
LossPtr mean_absolute_error(const NoOptions& options, const TargetSpec& target);

}  // namespace fovea::tasks
