#include "fovea/metrics/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "fovea/core/random.h"
#include "fovea/core/threads.h"
#include "metrics/check.h"

namespace fovea::metrics {
namespace {

constexpr int64_t kMostLeftOut = 250;  // values of the jackknife
constexpr double kMostUndefined = 0.05;

/// A number below n, without bias and without a division in most draws (Lemire, ACM TOMACS 2019).
uint32_t draw_below(Random& random, uint32_t n) {
  uint64_t product = uint64_t{random.bits()} * n;
  if (static_cast<uint32_t>(product) < n) {
    const uint32_t least = -n % n;
    while (static_cast<uint32_t>(product) < least) product = uint64_t{random.bits()} * n;
  }
  return static_cast<uint32_t>(product >> 32);
}

/// Where numpy's "linear" puts it: between two of the sorted numbers.
double quantile(std::span<const double> sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double share = place - static_cast<double>(below);
  return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}

Interval between(std::vector<double>& replicates, double low, double high) {
  std::ranges::sort(replicates);
  return {quantile(replicates, low), quantile(replicates, high)};
}

/// Calls `statistic` for the weights of each of `count` samples of patients; [count, metrics].
class Samples {
 public:
  Samples(std::span<const uint32_t> clusters, size_t patients, size_t metrics,
          const std::function<Statistic()>& make, const BootstrapOptions& options)
      : clusters_(clusters),
        patients_(patients),
        metrics_(metrics),
        make_(make),
        options_(options) {}

  /// choose(i, times) says how often each patient is in sample i; `times` holds zeros.
  template <class Choose>
  std::vector<double> operator()(int64_t count, Choose choose) const {
    std::vector<double> values(static_cast<size_t>(count) * metrics_);
    const int64_t wide = options_.threads > 0 ? options_.threads : processors();
    std::mutex mutex;
    const int64_t pieces = std::min(count, wide);
    for_each_index(pieces, wide, [&](int64_t piece) {
      const Statistic statistic = make_();
      std::vector<int32_t> times(patients_), weights(clusters_.size());
      for (int64_t i = piece; i < count; i += pieces) {
        std::ranges::fill(times, 0);
        choose(i, times);
        for (size_t c = 0; c < weights.size(); ++c) weights[c] = times[clusters_[c]];
        statistic(weights, std::span(values).subspan(static_cast<size_t>(i) * metrics_, metrics_));
        if (!options_.advance) continue;
        const std::lock_guard lock(mutex);
        options_.advance();
      }
    });
    return values;
  }

  /// The values of one metric that are defined.
  std::vector<double> of(const std::vector<double>& values, size_t metric) const {
    std::vector<double> defined;
    for (size_t i = metric; i < values.size(); i += metrics_)
      if (!std::isnan(values[i])) defined.push_back(values[i]);
    return defined;
  }

 private:
  std::span<const uint32_t> clusters_;
  size_t patients_, metrics_;
  const std::function<Statistic()>& make_;
  const BootstrapOptions& options_;
};

double standard_deviation(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

/// But for roundings, which differ with the order of a sum.
bool all_the_same(const std::vector<double>& values) {
  const auto [least, most] = std::ranges::minmax(values);
  return most - least <= 1e-12 * std::max(std::abs(least), std::abs(most));
}

MetricValue p_of_zero(const std::vector<double>& replicates) {
  int64_t below = 0, above = 0;
  for (const double one : replicates) {
    below += one <= 0;
    above += one >= 0;
  }
  return std::min(1.0, 2 * static_cast<double>(1 + std::min(below, above)) /
                           static_cast<double>(1 + replicates.size()));
}

}  // namespace

Interval percentile_interval(std::vector<double>& replicates) {
  if (replicates.empty()) return Interval::undefined("no replicate");
  return between(replicates, (1 - kLevel) / 2, (1 + kLevel) / 2);
}

Interval bca_interval(std::vector<double>& replicates, double value,
                      std::span<const double> left_out) {
  if (replicates.empty() || left_out.empty()) return Interval::undefined("no replicate");
  double below = 0, mean = 0, squares = 0, cubes = 0;
  for (const double replicate : replicates)
    below += replicate < value ? 1 : replicate == value ? 0.5 : 0;
  const double bias = normal_quantile(below / static_cast<double>(replicates.size()));
  if (!std::isfinite(bias))
    return Interval::undefined("all replicates lie on one side of the value");
  for (const double one : left_out) mean += one / static_cast<double>(left_out.size());
  for (const double one : left_out) {
    squares += (mean - one) * (mean - one);
    cubes += (mean - one) * (mean - one) * (mean - one);
  }
  const double acceleration = squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
  const auto moved = [&](double p) {
    const double z = bias + normal_quantile(p);
    return normal_cdf(bias + z / (1 - acceleration * z));
  };
  return between(replicates, moved((1 - kLevel) / 2), moved((1 + kLevel) / 2));
}

std::vector<Resampled> bootstrap(std::span<const uint32_t> clusters, size_t patients,
                                 size_t metrics, const std::function<Statistic()>& make,
                                 const BootstrapOptions& options) {
  check_clusters(clusters, clusters.size());
  const size_t wanted = clusters.empty() ? 0 : std::ranges::max(clusters) + size_t{1};
  check_sizes("patients of a bootstrap", patients, wanted);
  const Samples samples(clusters, patients, metrics, make, options);
  const std::vector<double> values =
      samples(1, [](int64_t, std::vector<int32_t>& times) { std::ranges::fill(times, 1); });
  std::vector<Resampled> result(metrics);
  if (patients < 2) {
    for (size_t k = 0; k < metrics; ++k) {
      result[k].value = values[k];
      result[k].percentile = result[k].bca = Interval::undefined(
          patients == 0 ? "no cases" : "one patient: there is nothing to resample");
    }
    return result;
  }
  const std::vector<double> replicates =
      samples(options.replicates, [&](int64_t i, std::vector<int32_t>& times) {
        Random random(options.seed, Purpose::resample, 0, static_cast<uint64_t>(i));
        const auto n = static_cast<uint32_t>(patients);
        for (uint32_t draw = 0; draw < n; ++draw) ++times[draw_below(random, n)];
      });
  const auto parts = std::min(static_cast<int64_t>(patients), kMostLeftOut);
  const std::vector<double> without =
      samples(parts, [&](int64_t part, std::vector<int32_t>& times) {
        for (size_t patient = 0; patient < patients; ++patient)
          times[patient] = static_cast<int64_t>(patient) % parts != part;
      });
  for (size_t k = 0; k < metrics; ++k) {
    Resampled& metric = result[k];
    metric.value = values[k];
    std::vector<double> of_metric = samples.of(replicates, k);
    metric.undefined = options.replicates - static_cast<int64_t>(of_metric.size());
    const double share =
        static_cast<double>(metric.undefined) / static_cast<double>(options.replicates);
    if (std::isnan(metric.value) || share > kMostUndefined) {
      metric.percentile = metric.bca = Interval::undefined(
          std::isnan(metric.value)
              ? "the metric is undefined"
              : fmt::format("the metric is undefined in {:.0f} % of the replicates", 100 * share));
      continue;
    }
    metric.p = p_of_zero(of_metric);
    metric.standard_error = standard_deviation(of_metric);
    if (all_the_same(of_metric)) {
      metric.standard_error = 0;
      metric.percentile = metric.bca =
          Interval::undefined("all samples of patients have this value");
      continue;
    }
    metric.percentile = percentile_interval(of_metric);
    metric.bca = bca_interval(of_metric, metric.value, samples.of(without, k));
  }
  return result;
}

Clusters clusters_of(std::span<const std::string> groups, size_t cases) {
  if (!groups.empty()) check_sizes("groups, one per case", groups.size(), cases);
  Clusters clusters;
  std::unordered_map<std::string_view, uint32_t> known;
  for (size_t i = 0; i < cases; ++i) {
    const auto next = static_cast<uint32_t>(clusters.count);
    const bool named = !groups.empty() && !groups[i].empty();
    const auto [place, is_new] =
        named ? known.try_emplace(groups[i], next) : std::pair(known.end(), true);
    clusters.of_case.push_back(is_new ? next : place->second);
    clusters.count += is_new;
  }
  return clusters;
}

}  // namespace fovea::metrics
