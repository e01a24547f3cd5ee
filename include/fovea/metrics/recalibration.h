// The straight line by which the log odds of the probabilities would be right.
#pragma once

#include <cstdint>
#include <span>

#include "fovea/metrics/interval.h"
#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// Logistic recalibration (Cox 1958): the labels fitted by x = log(p / (1 - p)). A case of probability 0 or 1
/// that came out so fits every line and is left out; where one came out otherwise, no line fits and both are
/// undefined.
struct Recalibration {
  /// b of a + b x fitted to the labels: below 1 the probabilities are too extreme, above too timid.
  MetricValue slope;
  /// a of a + x: below 0 the probabilities are too high on the whole ("calibration in the large").
  MetricValue intercept;
  /// Wald's, from the information; where patients have several cases from the sums of their scores (the
  /// sandwich of Huber 1967 and Liang and Zeger 1986, with the factor G / (G - 1) (n - 1) / (n - k)).
  Interval slope_interval, intercept_interval;
};
/// probabilities [n] of the positive class, in [0, 1]; labels [n], 0 or 1; anything else is refused with an
/// Error. clusters [n]: the patient of each case, from 0 on; empty: each case is one of its own.
Recalibration recalibrate(std::span<const double> probabilities, std::span<const uint8_t> labels,
                          std::span<const uint32_t> clusters = {});

}  // namespace fovea::metrics
