// What the inputs of the training cases looked like, in counts and quantiles that name nobody: it travels with a
// model, so that other data can be held against it where the training data are not.
#pragma once

#include <string>
#include <variant>

#include "fovea/metrics/drift.h"

namespace fovea::bundle {

struct QuantityProfile {
  std::string of, name;  ///< as sources::Quantity has them
  std::variant<metrics::NumberProfile, metrics::CategoryProfile> values;
};

}  // namespace fovea::bundle
