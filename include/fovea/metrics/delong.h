// The variance of an area under the ROC curve, and of the difference of two on the same cases: DeLong's
// where cases are independent, Obuchowski's where patients have several.
//
// DeLong, DeLong and Clarke-Pearson, Biometrics 1988; computed in O(n log n) from ranks as by Sun and
// Xu, IEEE Signal Processing Letters 2014. Obuchowski, Biometrics 1997.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fovea/metrics/interval.h"
#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// What each case adds to the area: of a positive one the share of the negative cases below it, of a
/// negative one the share of the positive cases above it, ties counted half. The mean over either
/// is the area.
struct Placements {
  std::vector<double> values;  ///< [n]; empty unless both classes occur
  MetricValue auc;
};
/// scores [n], without NaN; labels [n], 0 or 1. Anything else is refused with an Error.
Placements place(std::span<const double> scores, std::span<const uint8_t> labels);

/// The covariance of the areas of two scores on the same cases; of one with itself, its variance.
/// clusters [n]: the patient of each case, from 0 on; empty: each case is one of its own, and this is
/// DeLong's estimate. Undefined where fewer than two patients have a positive, or a negative, case.
MetricValue auc_covariance(const Placements& a, const Placements& b,
                           std::span<const uint8_t> labels,
                           std::span<const uint32_t> clusters = {});

/// The area with its interval on the logit scale.
struct AucEstimate {
  MetricValue auc;
  MetricValue variance;
  Interval interval;
};
AucEstimate estimate_auc(std::span<const double> scores, std::span<const uint8_t> labels,
                         std::span<const uint32_t> clusters = {});

/// The area of `a` less that of `b`, with the test of whether they differ.
struct AucDifference {
  MetricValue difference;
  Interval interval;
  MetricValue z, p;  ///< two-sided; undefined where the difference has no variance
};
AucDifference compare_auc(std::span<const double> a, std::span<const double> b,
                          std::span<const uint8_t> labels, std::span<const uint32_t> clusters = {});

}  // namespace fovea::metrics
