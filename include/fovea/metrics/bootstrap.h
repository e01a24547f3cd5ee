// The bootstrap by patients: what the metrics of another sample of as many patients could have been.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fovea/metrics/interval.h"
#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// The metrics of the cases where case i is counted weights[i] times; NaN where one is undefined.
/// Called again and again from one thread, so it may keep what it needs between calls.
using Statistic = std::function<void(std::span<const int32_t> weights, std::span<double> values)>;

struct BootstrapOptions {
  int64_t replicates = 2000;
  uint64_t seed = 0;
  int64_t threads = 0;                 ///< 0: as many as run at the same time
  std::function<void()> advance = {};  ///< called after each sample of patients, one call at a time
};

/// One metric over all replicates. Where these are all equal there is no interval: a metric that no sample
/// changes says nothing of how it could have been.
struct Resampled {
  double value = 0;           ///< of the cases themselves
  double standard_error = 0;  ///< standard deviation of the replicates
  Interval percentile;
  Interval bca;  ///< bias-corrected and accelerated: Efron, JASA 1987
  /// Of a difference: that it is 0, two-sided, twice the smaller of (1 + replicates on a side of 0) /
  /// (1 + replicates) (Davison and Hinkley 1997, 4.2); a replicate of 0 is on both.
  MetricValue p;
  int64_t undefined = 0;  ///< replicates without a value; above 5 % there is no interval
};

/// Draws patients with replacement, as many as there are, each with all its cases. clusters [n]: the
/// patient of each case, below `patients`; every one has a case. `make` is called once for each
/// thread. The result depends on the seed and not on the number of threads.
/// The acceleration is that of the jackknife which leaves out a patient, or, of more than 250, one of
/// 250 groups of them.
std::vector<Resampled> bootstrap(std::span<const uint32_t> clusters, size_t patients,
                                 size_t metrics, const std::function<Statistic()>& make,
                                 const BootstrapOptions& options = {});

/// The two intervals, from the replicates of one metric (any order; changed) and from its values where
/// a part of the data is left out. Quantiles are interpolated linearly.
Interval percentile_interval(std::vector<double>& replicates);
Interval bca_interval(std::vector<double>& replicates, double value,
                      std::span<const double> left_out);

/// Names of patients as numbers from 0 on, in the order in which they first appear; a case without a
/// name (""), and each case where there are no names at all, is a patient of its own.
struct Clusters {
  std::vector<uint32_t> of_case;  ///< [n]
  size_t count = 0;
  bool single() const { return count == of_case.size(); }  ///< none has several cases
};
Clusters clusters_of(std::span<const std::string> groups, size_t cases);

}  // namespace fovea::metrics
