// Which cases a metric is about: what an evaluation was given and could not use stands beside it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::metrics {

struct Coverage {
  size_t unknown = 0;  ///< cases whose target nobody knows
  std::vector<std::string>
      failed;  ///< ids of cases whose target is known, but the output is not finite
};

}  // namespace fovea::metrics
