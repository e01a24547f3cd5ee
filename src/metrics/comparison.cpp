#include "fovea/metrics/comparison.h"

#include "fovea/core/error.h"
#include "metrics/check.h"

namespace fovea::metrics {

std::vector<Difference> compare(const Evaluated& a, const Evaluated& b, const Clusters& clusters,
                                const BootstrapOptions& options) {
  if (a.keys() != b.keys())
    throw config_error(
        "comparing two models: they have other metrics, so one is about other targets",
        "compare models of the same target");
  check_sizes("cases of the second of two models", b.cases(), a.cases());
  check_sizes("patients, one per case", clusters.of_case.size(), a.cases());
  const size_t count = a.overall();
  const auto make = [&]() -> Statistic {
    return [of_a = statistic_of(a, count), of_b = statistic_of(b, count),
            theirs = std::vector<double>(count)](std::span<const int32_t> weights,
                                                 std::span<double> values) mutable {
      of_a(weights, values);
      of_b(weights, theirs);
      for (size_t k = 0; k < theirs.size(); ++k) values[k] -= theirs[k];
    };
  };
  const std::vector<Resampled> resampled =
      bootstrap(clusters.of_case, clusters.count, count, make, options);
  const std::vector<MetricValue> of_a = a.values(count), of_b = b.values(count);
  const std::string by = clusters.single() ? "bootstrap" : "bootstrap by patients";
  std::vector<Difference> all;
  for (size_t k = 0; k < count; ++k) {
    Difference one{a.keys()[k], of_a[k], of_b[k], {}, {}, {}, {}};
    if (!of_a[k].defined() || !of_b[k].defined()) {
      const std::string& why = (of_a[k].defined() ? of_b : of_a)[k].why_undefined;
      one.difference = one.p = MetricValue::undefined(why);
      one.bounds.interval = Interval::undefined(why);
      all.push_back(std::move(one));
      continue;
    }
    one.difference = of_a[k].value - of_b[k].value;
    one.bounds = {resampled[k].percentile, by + ", percentile"};
    one.p = resampled[k].p;
    one.test = by;
    if (auto closed = a.closed_test(k, b, clusters)) {
      if (!closed->bounds.method.empty()) one.bounds = std::move(closed->bounds);
      one.p = std::move(closed->p);
      one.test = std::move(closed->test);
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace fovea::metrics
