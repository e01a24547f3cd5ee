// From a probability to a decision: where "positive" begins, and what deciding so is worth.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/metrics/counts.h"
#include "fovea/metrics/metric_value.h"
#include "fovea/metrics/predictions.h"
#include "fovea/metrics/ranking.h"

namespace fovea::metrics {

/// How an operating point is chosen on cases that are not evaluated.
struct PointRule {
  enum class Type {
    youden,       ///< the largest sensitivity + specificity (Youden 1950)
    sensitivity,  ///< the most specific point of at least `wanted` sensitivity
    specificity,  ///< the most sensitive point of at least `wanted` specificity
    cost,         ///< the least false negatives * `wanted` + false positives
    fixed,        ///< the threshold `wanted`, whatever the cases are
  };
  Type type = Type::youden;
  double wanted = 0;  ///< sensitivity, specificity, fixed: in (0, 1]; cost: above 0
};
std::string words(const PointRule& rule);  ///< "youden", "sensitivity 0.95", "cost 10:1", "fixed"

/// Of several equally good points the one of the highest threshold. `on` names the cases: "val". Where they
/// do not hold both classes the threshold is 0.5, and `chosen` says why. The threshold is a probability that a
/// case has, or, where nothing may be called positive, the next number above the largest.
OperatingPoint choose_point(const Ranking& ranking, const PointRule& rule, std::string_view on);

/// Net benefit of treating those with a probability of at least `threshold` (Vickers and Elkin 2006): true
/// positives less false positives at the odds of the threshold, both as shares of all cases. Treating none
/// has 0.
struct NetBenefit {
  double threshold;
  double model;
  double treat_all;
};
/// thresholds in (0, 1), rising. Empty without cases.
std::vector<NetBenefit> decision_curve(const Ranking& ranking, std::span<const double> thresholds);

/// Positive and negative predictive value where `prevalence` of the cases are positive, by Bayes' theorem.
MetricValue ppv_at(double sensitivity, double specificity, double prevalence);
MetricValue npv_at(double sensitivity, double specificity, double prevalence);

/// Likelihood ratios: sensitivity / (1 - specificity), (1 - sensitivity) / specificity.
MetricValue positive_likelihood_ratio(const Counts& counts);
MetricValue negative_likelihood_ratio(const Counts& counts);

}  // namespace fovea::metrics
