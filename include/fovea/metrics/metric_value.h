// The value of a metric, which may not exist: a number, or the reason why there is none.
#pragma once

#include <limits>
#include <string>
#include <utility>

#include "fovea/core/standard_library.h"

namespace fovea::metrics {

/// One value. Undefined is never 0, 1 or 0.5: the sensitivity of a test set without a positive
/// case is not a number.
struct MetricValue {
  double value = std::numeric_limits<double>::quiet_NaN();  ///< NaN where undefined
  std::string why_undefined = "not computed";               ///< empty where defined
  std::string note;  ///< what a reader must know, e.g. "mean over 13 of 14 classes: hernia left out
                     ///< (no positive case)"

  MetricValue() = default;
  MetricValue(double number) : value(number), why_undefined() {}  // NOLINT: a number is a value
  static MetricValue undefined(std::string reason) {
    MetricValue value;
    value.why_undefined = std::move(reason);
    return value;
  }

  bool defined() const { return why_undefined.empty(); }
};

/// `numerator / denominator`, undefined for the given reason where the denominator is 0.
inline MetricValue ratio(double numerator, double denominator, const char* why_zero) {
  if (denominator == 0) return MetricValue::undefined(why_zero);
  return numerator / denominator;
}

}  // namespace fovea::metrics
