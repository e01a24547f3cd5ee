#include "fovea/metrics/goal.h"

#include "fovea/core/text.h"

namespace fovea::metrics {

std::string words(const Goal& goal) {
  if (goal.type == Goal::Type::near) return "nearest to " + number(goal.target);
  return goal.type == Goal::Type::high ? "higher" : "lower";
}

}  // namespace fovea::metrics
