// What every task says alike: of its loss, and of outputs that are not finite.
#pragma once

#include "fovea/core/error.h"
#include "fovea/tasks/task.h"

namespace fovea::tasks {

inline NamedMetric metric_of(const LossMean& loss) {
  return {"loss", loss.value(), loss.why_undefined(), metrics::kLower};
}

/// Where a case stands among all, if the batch says so: subgroups and failures are found by it.
inline void note_row(metrics::Coverage& coverage, const Batch& batch, int64_t row) {
  if (const auto at = static_cast<size_t>(row); at < batch.indices.size())
    coverage.rows.push_back(static_cast<uint32_t>(batch.indices[at]));
}

[[noreturn]] inline void refuse_not_finite(const std::string& target) {
  throw data_error("the output for '" + target + "' is not finite, so there is no answer",
                   "look at the input for numbers that are missing, infinite or out of all bounds");
}

}  // namespace fovea::tasks
