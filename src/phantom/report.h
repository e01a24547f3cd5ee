// What a reader says of one synthetic radiograph, and what the laboratory measured.
#pragma once

#include <string>
#include <vector>

#include "fovea/core/random.h"
#include "phantom/radiograph.h"

namespace fovea::phantom {

struct Report {
  std::string text;
  std::string entities;  ///< JSON: [[begin, end, "FINDING"], …] in code points of the text
};

/// The reader sees three of four lesions and calls one in four clear radiographs wrong, so the
/// report alone reaches an AUC of about 0.8. Words for lesions stand in both classes ("no nodule"), so
/// that counting words is not enough.
Report write_report(bool lesions, const std::vector<Finding>& found, int64_t size, Random& random);

/// In the order of `kLabColumns`; blank where it was not measured (one in twelve).
std::vector<std::string> draw_labs(bool lesions, Random& random);

/// Units: mg/L, U/L, 10^9/L, none. Each says a little, together they reach an AUC of about 0.7.
inline const std::vector<std::string> kLabColumns = {"crp", "ldh", "leukocytes", "smoker"};

}  // namespace fovea::phantom
