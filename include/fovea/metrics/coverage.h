// Which cases a metric is about: what an evaluation was given and could not use stands beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::metrics {

struct Coverage {
  size_t unknown = 0;  ///< cases whose target nobody knows
  std::vector<std::string>
      failed;  ///< ids of cases whose target is known, but the output is not finite
  std::vector<uint32_t> rows = {};  ///< of each case that is used: its position among all
};

}  // namespace fovea::metrics
