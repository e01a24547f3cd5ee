// An interval around the value of a metric, and the normal distribution that many are made from.
#pragma once

#include <limits>
#include <string>
#include <utility>

#include "fovea/core/standard_library.h"

namespace fovea::metrics {

/// Every interval is one of 95 %.
inline constexpr double kLevel = 0.95;

struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  std::string why_undefined = "not computed";  ///< empty where defined

  Interval() = default;
  Interval(double from, double to) : low(from), high(to), why_undefined() {}
  static Interval undefined(std::string reason) {
    Interval interval;
    interval.why_undefined = std::move(reason);
    return interval;
  }
  bool defined() const { return why_undefined.empty(); }
  double half_width() const { return (high - low) / 2; }
};

/// Standard errors to either side of the value: 1.96.
double errors_of_level();

double normal_cdf(double z);
/// The z that a standard normal number lies below with probability p, in (0, 1); -inf and inf at 0 and
/// 1. Wichura, "Algorithm AS 241", Applied Statistics 1988: 1e-16 relative.
double normal_quantile(double p);
/// The probability of a normal number as far from 0 as z, in either direction.
double two_sided_p(double z);

/// `value` ± 1.96 standard errors on the scale of log(v / (1 - v)), so that it stays within [0, 1].
/// Undefined where the value is 0 or 1: its variance says nothing there. LeDell et al., Electronic
/// Journal of Statistics 2015.
Interval logit_interval(double value, double variance);

/// Of a share: Wilson, JASA 1927. Undefined without cases.
Interval wilson(double successes, double cases);

/// Cases needed for a half-width, where `cases` gave `half_width`: it shrinks with their root.
double cases_for_half_width(double wanted, double half_width, double cases);

}  // namespace fovea::metrics
