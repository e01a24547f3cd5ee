#include "fovea/metrics/regression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
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
  for (size_t i = 0; i < numbers.cases(); ++i) sum += of(numbers.predicted[i] - numbers.targets[i]);
  return ratio(sum, static_cast<double>(numbers.cases()), kNoCase);
}

}  // namespace

size_t Numbers::distinct_groups() const {
  std::unordered_set<std::string_view> names(groups.begin(), groups.end());
  names.erase("");
  return names.size();
}

void Numbers::check() const {
  constexpr const char* kDoing = "checking predicted numbers";
  check_sizes("ids of the predicted numbers, one per case", ids.size(), cases());
  if (!groups.empty())
    check_sizes("groups of the predicted numbers, one per case", groups.size(), cases());
  check_sizes("predicted numbers, one per case", predicted.size(), cases());
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
  if (numbers.cases() == 0) return MetricValue::undefined(kNoCase);
  // Asked of the targets themselves: the mean of equal numbers may be off by a rounding, and what is
  // left would be a number divided by next to nothing.
  const auto [least, most] = std::ranges::minmax(numbers.targets);
  if (least == most) return MetricValue::undefined("all targets are equal");
  double sum = 0, errors = 0, distances = 0;
  for (const double target : numbers.targets) sum += target;
  const double mean = sum / static_cast<double>(numbers.cases());
  for (size_t i = 0; i < numbers.cases(); ++i) {
    const double error = numbers.predicted[i] - numbers.targets[i];
    errors += error * error;
    distances += (numbers.targets[i] - mean) * (numbers.targets[i] - mean);
  }
  return 1 - errors / distances;
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
  };
  return kCatalogue;
}

}  // namespace fovea::metrics
