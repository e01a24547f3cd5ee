// Metrics with their intervals: what a report prints.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fovea/metrics/evaluated.h"

namespace fovea::metrics {

/// A metric, and how sure one may be of it.
struct Estimate {
  MetricKey key;
  MetricValue value;
  int64_t cases =
      0;  ///< that it is a mean, a share or a rank over: of sensitivity the positive ones
  /// In closed form where there is one (DeLong, Wilson; where patients have several cases Obuchowski), else by
  /// the bootstrap (BCa, and where that does not exist percentile). One that does not hold the value is none.
  Bounds bounds;
  std::vector<Bounds> also;  ///< those of the bootstrap that are not the first
};

/// Of the first `count` metrics. `options.replicates` 0: no bootstrap, so what has no closed form has no
/// interval.
std::vector<Estimate> estimates(const Evaluated& evaluated, const Clusters& clusters,
                                const BootstrapOptions& options = {}, size_t count = SIZE_MAX);

/// The same from a bootstrap that has been made: `resampled` of each of the metrics, in their order.
std::vector<Estimate> estimates(const Evaluated& evaluated, const Clusters& clusters,
                                std::span<const Resampled> resampled);

}  // namespace fovea::metrics
