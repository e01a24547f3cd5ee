// Two models on the same cases.
#pragma once

#include <string>
#include <vector>

#include "fovea/metrics/estimate.h"

namespace fovea::metrics {

/// One metric of both, and the first less the second.
struct Difference {
  MetricKey key;
  MetricValue a, b;
  MetricValue difference;
  Bounds bounds;     ///< DeLong's or Obuchowski's of an area, else of the paired bootstrap
  MetricValue p;     ///< that they do not differ; two-sided
  std::string test;  ///< "DeLong", "McNemar, exact", "bootstrap by patients"
};

/// Of the metrics over all cases. Both must have the same metrics, and the same cases in the same order. Where there is
/// no test in closed form, interval and p are the bootstrap's, which agree: percentile, and Resampled::p.
std::vector<Difference> compare(const Evaluated& a, const Evaluated& b, const Clusters& clusters,
                                const BootstrapOptions& options = {});

}  // namespace fovea::metrics
