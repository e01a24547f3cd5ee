// Which values of a metric are good: what early stopping, a schedule and the choice of the best
// model go by.
#pragma once

#include <cmath>
#include <string>

#include "fovea/core/standard_library.h"

namespace fovea::metrics {

struct Goal {
  enum class Kind { high, low, near };
  Kind kind = Kind::high;
  double target = 0;  ///< of `near`: the bias should be 0

  /// Whether `a` is better than `b`: a tie is not, nor is a NaN.
  bool better(double a, double b) const {
    if (kind == Kind::near) return std::abs(a - target) < std::abs(b - target);
    return kind == Kind::high ? a > b : a < b;
  }
  bool operator==(const Goal&) const = default;
};

inline constexpr Goal kHigher{Goal::Kind::high};
inline constexpr Goal kLower{Goal::Kind::low};
constexpr Goal near(double target) { return {Goal::Kind::near, target}; }

/// "higher", "lower", "nearest to 0"
std::string words(const Goal& goal);

}  // namespace fovea::metrics
