// What a model says of one target of one case. Needs no LibTorch: other programs see it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fovea {

struct Answer {
  std::string target;  ///< "label"
  /// Classification: by class, in the order of the classes.
  std::vector<std::pair<std::string, double>> probabilities = {};
  /// Regression: in the unit of the target.
  std::optional<double> number = {};
  /// The class; of several yes-or-no labels those that hold, joined by '|'; a number as text.
  std::string decision = {};
};

}  // namespace fovea
