#pragma once

#include <string>
#include <vector>

#include "fovea/core/fields.h"

namespace fovea::tasks {

/// `none`, `balanced`, or a number per class.
struct ClassWeights {
  std::string rule = "none";
  std::vector<double> values = {};  ///< where the rule is `list`
};
void read_value(const Node& node, ClassWeights& value);
Node write_value(const ClassWeights& value);
inline std::string type_name(const ClassWeights&) { return "none, balanced, or a list of numbers"; }

}  // namespace fovea::tasks
