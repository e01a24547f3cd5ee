// Which values of a metric are good: what early stopping, a schedule and the choice of the best
// model go by.
#pragma once

#include <cmath>
#include <string>

#include "fovea/core/standard_library.h"

namespace fovea::metrics {

struct Goal {
  enum class Type { high, low, near };
  Type type = Type::high;
  double target = 0;  ///< of `near`: the bias should be 0

  /// Whether `a` is better than `b`: a tie is not, nor is a NaN.
  bool better(double a, double b) const {
    if (type == Type::near) return std::abs(a - target) < std::abs(b - target);
    return type == Type::high ? a > b : a < b;
  }
  bool operator==(const Goal&) const = default;
};

inline constexpr Goal kHigher{Goal::Type::high};
inline constexpr Goal kLower{Goal::Type::low};
constexpr Goal near(double target) { return {Goal::Type::near, target}; }

/// "higher", "lower", "nearest to 0"
std::string words(const Goal& goal);

}  // namespace fovea::metrics
