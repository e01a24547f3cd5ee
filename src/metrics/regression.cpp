#include "fovea/metrics/regression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "fovea/core/error.h"
#include "metrics/check.h"

namespace fovea::metrics {
namespace {

constexpr const char* kNoCase = "no case was evaluated";

/// The mean of `of(predicted - true)`.
template <class Of>
MetricValue mean_error(const Numbers& numbers, Of of) {
  double sum = 0;
  int64_t cases = 0;
  for (size_t i = 0; i < numbers.cases(); ++i) {
    const int32_t weight = weight_of(numbers.weights, i);
    sum += weight * of(numbers.predicted[i] - numbers.targets[i]);
    cases += weight;
  }
  return ratio(sum, static_cast<double>(cases), kNoCase);
}

double weighted_mean(std::span<const double> values, std::span<const int32_t> weights) {
  double sum = 0;
  int64_t cases = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += weight_of(weights, i) * values[i];
    cases += weight_of(weights, i);
  }
  return sum / static_cast<double>(cases);
}

/// Asked of the values themselves: the mean of equal numbers may be off by a rounding, and what is left
/// would be a number divided by next to nothing. True also where none counts.
bool all_equal(std::span<const double> values, std::span<const int32_t> weights) {
  const double* first = nullptr;
  for (size_t i = 0; i < values.size(); ++i) {
    if (weight_of(weights, i) == 0) continue;
    if (first && *first != values[i]) return false;
    first = &values[i];
  }
  return true;
}

bool any_counts(const Numbers& numbers) {
  return numbers.weights.empty()
             ? numbers.cases() > 0
             : std::ranges::any_of(numbers.weights, [](auto w) { return w > 0; });
}

MetricValue correlation(std::span<const double> targets, std::span<const double> predicted,
                        const Numbers& numbers) {
  if (!any_counts(numbers)) return MetricValue::undefined(kNoCase);
  if (all_equal(targets, numbers.weights)) return MetricValue::undefined("all targets are equal");
  if (all_equal(predicted, numbers.weights))
    return MetricValue::undefined("all predictions are equal");
  const double x_mean = weighted_mean(targets, numbers.weights);
  const double y_mean = weighted_mean(predicted, numbers.weights);
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    const double weight = weight_of(numbers.weights, i);
    const double x = targets[i] - x_mean, y = predicted[i] - y_mean;
    xx += weight * x * x;
    yy += weight * y * y;
    xy += weight * x * y;
  }
  // A rounding beyond 1 is none.
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

std::vector<uint32_t> rising(std::span<const double> values) {
  std::vector<uint32_t> rows(values.size());
  std::iota(rows.begin(), rows.end(), 0u);
  std::ranges::sort(rows, {}, [&](uint32_t row) { return values[row]; });
  return rows;
}

/// Equal values share the mean of their ranks.
std::vector<double> ranks(std::span<const double> values, std::span<const uint32_t> order,
                          std::span<const int32_t> weights) {
  std::vector<double> all(values.size());
  int64_t before = 0;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    int64_t equal = 0;
    for (; end < order.size() && values[order[end]] == values[order[begin]]; ++end)
      equal += weight_of(weights, order[end]);
    for (size_t k = begin; k < end; ++k)
      all[order[k]] = static_cast<double>(before) + static_cast<double>(equal + 1) / 2;
    before += equal;
  }
  return all;
}

}  // namespace

size_t Numbers::distinct_groups() const {
  std::unordered_set<std::string_view> names(groups.begin(), groups.end());
  names.erase("");
  return names.size();
}

void Numbers::sort() {
  by_target = rising(targets);
  by_predicted = rising(predicted);
}

Numbers Numbers::part(std::span<const uint32_t> rows) const {
  Numbers some;
  for (const size_t row : rows) {
    some.ids.push_back(ids.at(row));
    if (!groups.empty()) some.groups.push_back(groups.at(row));
    some.targets.push_back(targets.at(row));
    some.predicted.push_back(predicted.at(row));
  }
  return some;
}

void Numbers::check() const {
  constexpr const char* kDoing = "checking predicted numbers";
  check_sizes("ids of the predicted numbers, one per case", ids.size(), cases());
  if (!groups.empty())
    check_sizes("groups of the predicted numbers, one per case", groups.size(), cases());
  check_sizes("predicted numbers, one per case", predicted.size(), cases());
  check_weights(weights, cases());
  for (size_t i = 0; i < cases(); ++i)
    if (!std::isfinite(targets[i]) || !std::isfinite(predicted[i]))
      throw data_error(
          fmt::format("{}: case {}: found the target {} and the prediction {}, wanted "
                      "finite numbers",
                      kDoing, i, targets[i], predicted[i]));
}

MetricValue rmse(const Numbers& numbers) {
  MetricValue value = mean_error(numbers, [](double e) { return e * e; });
  if (value.defined()) value.value = std::sqrt(value.value);
  return value;
}

MetricValue mae(const Numbers& numbers) {
  return mean_error(numbers, [](double e) { return std::abs(e); });
}

MetricValue bias(const Numbers& numbers) {
  return mean_error(numbers, [](double e) { return e; });
}

MetricValue r2(const Numbers& numbers) {
  if (!any_counts(numbers)) return MetricValue::undefined(kNoCase);
  if (all_equal(numbers.targets, numbers.weights))
    return MetricValue::undefined("all targets are equal");
  const double mean = weighted_mean(numbers.targets, numbers.weights);
  double errors = 0, distances = 0;
  for (size_t i = 0; i < numbers.cases(); ++i) {
    const double weight = weight_of(numbers.weights, i);
    const double error = numbers.predicted[i] - numbers.targets[i];
    errors += weight * error * error;
    distances += weight * (numbers.targets[i] - mean) * (numbers.targets[i] - mean);
  }
  return 1 - errors / distances;
}

MetricValue pearson(const Numbers& numbers) {
  return correlation(numbers.targets, numbers.predicted, numbers);
}

MetricValue spearman(const Numbers& numbers) {
  const bool sorted = numbers.by_target.size() == numbers.cases();
  const auto ranked = [&](std::span<const double> values, const std::vector<uint32_t>& order) {
    return ranks(values, sorted ? order : rising(values), numbers.weights);
  };
  return correlation(ranked(numbers.targets, numbers.by_target),
                     ranked(numbers.predicted, numbers.by_predicted), numbers);
}

Agreement limits_of_agreement(const Numbers& numbers) {
  const MetricValue mean = bias(numbers);
  Agreement agreement{MetricValue::undefined("fewer than two cases"), mean,
                      MetricValue::undefined("fewer than two cases")};
  if (numbers.cases() < 2) return agreement;
  double squares = 0;
  for (size_t i = 0; i < numbers.cases(); ++i) {
    const double from_mean = numbers.predicted[i] - numbers.targets[i] - mean.value;
    squares += from_mean * from_mean;
  }
  const double reach = 1.96 * std::sqrt(squares / static_cast<double>(numbers.cases() - 1));
  agreement.low = mean.value - reach;
  agreement.high = mean.value + reach;
  return agreement;
}

std::span<const RegressionMetric> regression_catalogue() {
  static constexpr std::array kCatalogue{
      RegressionMetric{"rmse", "for numbers: root mean squared error, in their unit", kLower, rmse},
      RegressionMetric{"mae", "for numbers: mean absolute error, in their unit", kLower, mae},
      RegressionMetric{
          "r2", "for numbers: 1 - squared error / that of the mean (coefficient of determination)",
          kHigher, r2},
      RegressionMetric{"bias", "for numbers: mean of predicted - true, in their unit", near(0),
                       bias},
      RegressionMetric{"pearson", "for numbers: correlation of predicted and true", kHigher,
                       pearson},
      RegressionMetric{"spearman", "for numbers: correlation of their ranks", kHigher, spearman},
  };
  return kCatalogue;
}

}  // namespace fovea::metrics
