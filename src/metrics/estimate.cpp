#include "fovea/metrics/estimate.h"

#include <algorithm>

namespace fovea::metrics {

namespace {

/// Samples of a metric that grows with noise, such as the expected calibration error, lie on one side of it.
Interval around(double value, const Interval& interval) {
  if (!interval.defined() || (interval.low <= value && value <= interval.high)) return interval;
  return Interval::undefined(
      "the bootstrap of this metric is biased: it does not hold the value itself");
}

}  // namespace

std::vector<Estimate> estimates(const Evaluated& evaluated, const Clusters& clusters,
                                const BootstrapOptions& options, size_t count) {
  count = std::min(count, evaluated.keys().size());
  std::vector<Resampled> resampled(count);
  if (options.replicates > 0 && evaluated.cases() > 0)
    resampled = bootstrap(
        clusters.of_case, clusters.count, count, [&] { return statistic_of(evaluated, count); },
        options);
  return estimates(evaluated, clusters, resampled);
}

std::vector<Estimate> estimates(const Evaluated& evaluated, const Clusters& clusters,
                                std::span<const Resampled> resampled) {
  const std::vector<MetricValue> values = evaluated.values(resampled.size());
  const std::vector<int64_t> counts = evaluated.counts();
  const std::string by = clusters.single() ? "bootstrap, " : "bootstrap by patients, ";
  std::vector<Estimate> all;
  for (size_t k = 0; k < resampled.size(); ++k) {
    Estimate one{evaluated.keys()[k], values[k], counts[k], {}, {}};
    if (!values[k].defined()) {
      one.bounds = {Interval::undefined("the metric is undefined"), ""};
      all.push_back(std::move(one));
      continue;
    }
    std::vector<Bounds> found;
    if (auto closed = evaluated.closed_form(k, clusters)) found.push_back(std::move(*closed));
    found.push_back({around(values[k].value, resampled[k].bca), by + "BCa"});
    found.push_back({around(values[k].value, resampled[k].percentile), by + "percentile"});
    // The first that exists; where none does, the first says why.
    const auto first =
        std::ranges::find_if(found, [](const Bounds& bounds) { return bounds.interval.defined(); });
    const auto shown = first == found.end() ? found.begin() : first;
    one.bounds = *shown;
    for (auto other = found.begin(); other != found.end(); ++other)
      if (other != shown && other->interval.defined()) one.also.push_back(std::move(*other));
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace fovea::metrics
