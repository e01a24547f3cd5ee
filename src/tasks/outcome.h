// What every task says alike: of its loss, and of outputs that are not finite.
#pragma once

#include "fovea/core/error.h"
#include "fovea/tasks/task.h"

namespace fovea::tasks {

inline NamedMetric metric_of(const LossMean& loss) {
  return {"loss", loss.value(), loss.why_undefined(), metrics::kLower};
}

[[noreturn]] inline void refuse_not_finite(const std::string& target) {
  throw data_error("the output for '" + target + "' is not finite, so there is no answer",
                   "look at the input for numbers that are missing, infinite or out of all bounds");
}

}  // namespace fovea::tasks
