// Metrics of a regression: how far predicted numbers are from the true ones, in their unit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/metrics/goal.h"
#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// n cases whose number is known. Plain vectors, so that batches can be appended.
struct Numbers {
  std::vector<std::string> ids;
  std::vector<std::string> groups;  ///< the patient; empty where the data has none
  std::vector<double> targets;
  std::vector<double> predicted;
  std::vector<int32_t> weights;  ///< how often each counts; empty: once
  /// The rows by rising target and by rising prediction, where `sort` has been called: ranks need no
  /// sorting then.
  std::vector<uint32_t> by_target, by_predicted;

  void sort();
  Numbers part(std::span<const uint32_t> rows) const;  ///< these cases, each counted once
  size_t cases() const { return targets.size(); }
  size_t distinct_groups() const;  ///< of those that have a name
  /// A data Error where sizes disagree, or a number is not finite.
  void check() const;
};

/// All are undefined without a case.
MetricValue rmse(const Numbers& numbers);  ///< root of the mean squared error
MetricValue mae(const Numbers& numbers);   ///< mean absolute error
/// 1 - squared error / squared distance of the targets from their mean; 0 is what their mean
/// reaches. Undefined where all targets are equal.
MetricValue r2(const Numbers& numbers);
MetricValue bias(const Numbers& numbers);  ///< mean of predicted - true
/// Correlation of predicted and true numbers (Pearson), and of their ranks, equal ones sharing the mean of
/// theirs (Spearman 1904). Undefined where all targets, or all predictions, are equal.
MetricValue pearson(const Numbers& numbers);
MetricValue spearman(const Numbers& numbers);

/// bias ± 1.96 standard deviations (n - 1) of predicted - true (Bland and Altman 1986); unweighted.
struct Agreement {
  MetricValue low, bias, high;  ///< low and high are undefined for fewer than two cases
};
Agreement limits_of_agreement(const Numbers& numbers);

struct RegressionMetric {
  std::string_view name;
  std::string_view help;
  Goal goal;
  MetricValue (*compute)(const Numbers&);
};
/// In the order of every report.
std::span<const RegressionMetric> regression_catalogue();

}  // namespace fovea::metrics
