#include "fovea/metrics/goal.h"

#include "fovea/core/text.h"

namespace fovea::metrics {

std::string words(const Goal& goal) {
  if (goal.kind == Goal::Kind::near) return "nearest to " + number(goal.target);
  return goal.kind == Goal::Kind::high ? "higher" : "lower";
}

}  // namespace fovea::metrics
