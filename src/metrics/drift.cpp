#include "fovea/metrics/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "fovea/core/error.h"
#include "metrics/cells.h"
#include "metrics/check.h"

namespace fovea::metrics {
namespace {

constexpr const char* kNoTraining = "no training case has a value";
constexpr const char* kNoEvaluated = "no evaluated case has a value";
constexpr int64_t kMostParts = 10;  // deciles
constexpr double kErrorsApart = 3;  // standard errors of the difference of two counts

void refuse_infinite(std::span<const double> values) {
  for (size_t i = 0; i < values.size(); ++i)
    if (std::isinf(values[i]))
      throw data_error(
          fmt::format("drift: the value of case {} is infinite; wanted a finite "
                      "number, or NaN where it is missing",
                      i));
}

/// Cases with a value, and without.
template <class Values, class IsMissing>
Cells count_missing(const Values& values, std::span<const uint32_t> clusters,
                    IsMissing is_missing) {
  std::vector<int32_t> cells;
  for (const auto& value : values) cells.push_back(is_missing(value) ? 1 : 0);
  return count_cells(cells, 2, clusters);
}
Cells count_missing(std::span<const double> values, std::span<const uint32_t> clusters) {
  return count_missing(values, clusters, [](double value) { return std::isnan(value); });
}
Cells count_missing(std::span<const std::string> values, std::span<const uint32_t> clusters) {
  return count_missing(values, clusters, [](const std::string& value) { return value.empty(); });
}

Cells count_bins(std::span<const double> edges, std::span<const double> values,
                 std::span<const uint32_t> clusters) {
  std::vector<int32_t> cells;
  for (const double value : values)
    cells.push_back(
        std::isnan(value)
            ? -1
            : static_cast<int32_t>(std::ranges::lower_bound(edges, value) - edges.begin()));
  return count_cells(cells, edges.size() + 1, clusters);
}

Cells count_names(std::span<const std::string> names, std::span<const std::string> values,
                  std::span<const uint32_t> clusters) {
  std::unordered_map<std::string_view, int32_t> known;
  for (const std::string& name : names) known.try_emplace(name, static_cast<int32_t>(known.size()));
  std::vector<int32_t> cells;
  for (const std::string& value : values) {
    const auto found = known.find(value);
    cells.push_back(value.empty()          ? -1
                    : found != known.end() ? found->second
                                           : static_cast<int32_t>(names.size()));
  }
  return count_cells(cells, names.size() + 1, clusters);
}

/// The next number below, or, where that would be too small to be written and read with all its digits, the one
/// below that.
double just_below(double value) {
  const double next = std::nextafter(value, -std::numeric_limits<double>::infinity());
  return std::fpclassify(next) == FP_SUBNORMAL ? -std::numeric_limits<double>::min() : next;
}

std::vector<double> edges_of(std::span<const double> sorted, int64_t patients) {
  std::vector<double> edges;
  if (sorted.empty()) return edges;
  const auto cases = static_cast<int64_t>(sorted.size());
  const int64_t parts = std::clamp<int64_t>(patients / kFewestPatientsOfBin, 1, kMostParts);
  for (int64_t part = 1; part <= parts; ++part) {
    // The least value that this share of the cases does not exceed.
    const double value = sorted[static_cast<size_t>((part * cases + parts - 1) / parts - 1)];
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    const int64_t equal = last - first;
    const bool own_bin = equal > 1 && equal * parts >= cases;
    if (own_bin && std::isfinite(just_below(value))) edges.push_back(just_below(value));
    if (own_bin || value < sorted.back()) edges.push_back(value);
  }
  std::ranges::sort(edges);
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

std::vector<double> quantiles_of(std::span<const double> sorted, int64_t patients) {
  std::vector<double> quantiles;
  if (sorted.empty()) return quantiles;
  const auto most = static_cast<int64_t>(kMostQuantiles) - 1;
  const int64_t parts = std::clamp<int64_t>(patients / kFewestPatients, 1, most);
  const auto last = static_cast<int64_t>(sorted.size()) - 1;
  for (int64_t part = 0; part <= parts; ++part) {
    const auto below = static_cast<size_t>(part * last / parts);
    const double beyond = real(part * last % parts) / real(parts);
    quantiles.push_back(beyond > 0 ? std::lerp(sorted[below], sorted[below + 1], beyond)
                                   : sorted[below]);
  }
  return quantiles;
}

void check_rising(const char* what, std::span<const double> numbers, bool strictly) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    const bool falls =
        i > 0 && (strictly ? !(numbers[i - 1] < numbers[i]) : !(numbers[i - 1] <= numbers[i]));
    if (falls || !std::isfinite(numbers[i]))
      throw data_error(
          fmt::format("{} of a profile: number {} is not finite or does not rise", what, i),
          "make the profile of the training data anew");
  }
}

/// `bins` should be `wanted` and hold the cases that are not missing.
void check_cells(const Cells& bins, size_t wanted, const Cells& missing) {
  bins.check();
  missing.check();
  check_sizes("bins of a profile", bins.counts.size(), wanted);
  check_sizes("counts of missing values of a profile", missing.counts.size(), 2);
  if (bins.cases() != missing.counts[0])
    throw data_error(fmt::format("a profile counts {} cases with a value, and its bins hold {}",
                                 missing.counts[0], bins.cases()),
                     "make the profile of the training data anew");
}

/// Two samples whose values were counted in the same cells, and those without a value. The test is made of the
/// first `apart` cells and of all others as one.
struct Sample {
  const Cells& cells;
  const Cells& missing;
};
Drift compare(const Sample& training, const Sample& evaluated, size_t apart, Pooling pooling) {
  Drift result;
  result.cases = evaluated.missing.counts[0];
  result.missing = evaluated.missing.counts[1];
  result.psi = psi(training.cells.counts, evaluated.cells.counts);
  if (result.psi.defined()) {
    result.psi_by_chance = distance_by_chance(training.cells, evaluated.cells);
    result.values = test_homogeneity(pool_after(training.cells, apart),
                                     pool_after(evaluated.cells, apart), pooling);
  } else {
    const auto why = MetricValue::undefined(result.psi.why_undefined);
    result.psi_by_chance = result.values.p = result.values.statistic = why;
  }
  const Cells &before = training.missing, &here = evaluated.missing;
  const char* why = before.cases() == 0                      ? "no training case"
                    : here.cases() == 0                      ? "no evaluated case"
                    : before.counts[1] + here.counts[1] == 0 ? "no case lacks a value"
                    : before.counts[0] + here.counts[0] == 0 ? "every case lacks a value"
                                                             : nullptr;
  if (why)
    result.missing_rates.p = result.missing_rates.statistic = MetricValue::undefined(why);
  else
    result.missing_rates = test_homogeneity(before, here, pooling);
  return result;
}

}  // namespace

NumberProfile profile_numbers(std::span<const double> values, std::span<const uint32_t> clusters) {
  if (!clusters.empty()) check_clusters(clusters, values.size());
  refuse_infinite(values);
  std::vector<double> sorted;
  for (const double value : values)
    if (!std::isnan(value)) sorted.push_back(value);
  std::ranges::sort(sorted);
  const int64_t patients = count_bins({}, values, clusters).patients;
  NumberProfile profile;
  profile.quantiles = quantiles_of(sorted, patients);
  profile.edges = edges_of(sorted, patients);
  profile.bins = count_bins(profile.edges, values, clusters);
  profile.missing = count_missing(values, clusters);
  return profile;
}

CategoryProfile profile_categories(std::span<const std::string> values,
                                   std::span<const uint32_t> clusters) {
  if (!clusters.empty()) check_clusters(clusters, values.size());
  struct Use {
    int64_t cases = 0;
    std::unordered_set<size_t> patients;
  };
  std::unordered_map<std::string_view, Use> uses;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].empty()) continue;
    Use& use = uses[values[i]];
    ++use.cases;
    use.patients.insert(clusters.empty() ? i : clusters[i]);
  }
  std::vector<std::tuple<int64_t, int64_t, std::string_view>>
      all;  // of patients and of cases, less than 0
  for (const auto& [name, use] : uses)
    all.emplace_back(-static_cast<int64_t>(use.patients.size()), -use.cases, name);
  std::ranges::sort(all);
  CategoryProfile profile;
  for (size_t i = 0; i < all.size() && i < kMostCategories; ++i) {
    const double own = real(-std::get<0>(all[i]));
    const double next = i + 1 < all.size() ? real(-std::get<0>(all[i + 1])) : 0;
    if (own < kFewestPatients) break;
    profile.names.emplace_back(std::get<2>(all[i]));
    if (own - next >= kErrorsApart * std::sqrt(own + next)) profile.apart = i + 1;
  }
  profile.cells = count_names(profile.names, values, clusters);
  profile.missing = count_missing(values, clusters);
  return profile;
}

MetricValue psi(std::span<const int64_t> training, std::span<const int64_t> evaluated) {
  check_sizes("bins of the evaluated cases", evaluated.size(), training.size());
  int64_t n = 0, m = 0;
  for (size_t i = 0; i < training.size(); ++i) {
    n += training[i];
    m += evaluated[i];
  }
  if (n == 0) return MetricValue::undefined(kNoTraining);
  if (m == 0) return MetricValue::undefined(kNoEvaluated);
  if (training.size() < 2)
    return MetricValue::undefined("the training data have too few patients for two bins");
  double sum = 0;
  for (size_t i = 0; i < training.size(); ++i) {
    double expected = real(training[i]) / real(n), actual = real(evaluated[i]) / real(m);
    if (training[i] == 0) expected = std::min(0.5 / real(n), actual);
    if (evaluated[i] == 0) actual = std::min(0.5 / real(m), expected);
    if (expected != actual) sum += (actual - expected) * std::log(actual / expected);
  }
  return sum;
}

Drift drift(const NumberProfile& training, std::span<const double> values,
            std::span<const uint32_t> clusters) {
  if (!clusters.empty()) check_clusters(clusters, values.size());
  refuse_infinite(values);
  check_rising("quantiles", training.quantiles, false);
  check_rising("edges", training.edges, true);
  check_cells(training.bins, training.edges.size() + 1, training.missing);
  const Cells evaluated = count_bins(training.edges, values, clusters);
  const Cells missing = count_missing(values, clusters);
  Drift result = compare({training.bins, training.missing}, {evaluated, missing},
                         training.edges.size(), Pooling::neighbours);
  if (!training.quantiles.empty())
    for (const double value : values)
      result.outside += value < training.quantiles.front() || value > training.quantiles.back();
  return result;
}

Drift drift(const CategoryProfile& training, std::span<const std::string> values,
            std::span<const uint32_t> clusters) {
  if (!clusters.empty()) check_clusters(clusters, values.size());
  check_cells(training.cells, training.names.size() + 1, training.missing);
  if (training.apart > training.names.size())
    throw data_error(fmt::format("of {} names of a profile {} stand apart", training.names.size(),
                                 training.apart),
                     "make the profile of the training data anew");
  const Cells evaluated = count_names(training.names, values, clusters);
  const Cells missing = count_missing(values, clusters);
  Drift result = compare({training.cells, training.missing}, {evaluated, missing}, training.apart,
                         Pooling::smallest);
  if (result.psi.defined() && training.apart == 0)
    result.values.p = MetricValue::undefined("no category is much more frequent than the next");
  result.outside = evaluated.counts.back();
  return result;
}

}  // namespace fovea::metrics
