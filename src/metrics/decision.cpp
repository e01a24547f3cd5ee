#include "fovea/metrics/decision.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "fovea/core/text.h"
#include "metrics/check.h"

namespace fovea::metrics {

std::string words(const PointRule& rule) {
  switch (rule.type) {
    case PointRule::Type::youden:
      return "youden";
    case PointRule::Type::sensitivity:
      return "sensitivity " + number(rule.wanted);
    case PointRule::Type::specificity:
      return "specificity " + number(rule.wanted);
    case PointRule::Type::cost:
      return fmt::format("cost {}:1", number(rule.wanted));
    case PointRule::Type::fixed:
      return "fixed";
  }
  return "";
}

OperatingPoint choose_point(const Ranking& ranking, const PointRule& rule, std::string_view on) {
  if (rule.type == PointRule::Type::fixed)
    return {.threshold = rule.wanted, .chosen = "fixed beforehand"};
  if (const char* missing = missing_class(ranking.positives(), ranking.negatives()))
    return {.threshold = 0.5, .chosen = fmt::format("default, {} has {}", on, missing)};
  const auto positives = static_cast<double>(ranking.positives());
  const auto negatives = static_cast<double>(ranking.negatives());
  // How good a point is; -infinity where it is not allowed.
  const auto worth = [&](double true_positives, double false_positives) {
    const double sensitivity = true_positives / positives;
    const double specificity = 1 - false_positives / negatives;
    constexpr double kNot = -std::numeric_limits<double>::infinity();
    switch (rule.type) {
      case PointRule::Type::youden:
        // Whole numbers, so that equally good points are found equal.
        return true_positives * negatives - false_positives * positives;
      case PointRule::Type::sensitivity:
        return sensitivity >= rule.wanted ? -false_positives : kNot;
      case PointRule::Type::specificity:
        return specificity >= rule.wanted ? true_positives : kNot;
      case PointRule::Type::cost:
        return -((positives - true_positives) * rule.wanted + false_positives);
      case PointRule::Type::fixed:
        break;
    }
    return kNot;
  };
  const double above_all = std::nextafter(ranking.steps().front().score, INFINITY);
  OperatingPoint point{.threshold = above_all, .chosen = fmt::format("{} on {}", words(rule), on)};
  double best = worth(0, 0);
  for (const Ranking::Step& step : ranking.steps()) {
    const double here =
        worth(static_cast<double>(step.true_positives), static_cast<double>(step.false_positives));
    if (!(here > best)) continue;
    best = here;
    point.threshold = step.score;
  }
  return point;
}

std::vector<NetBenefit> decision_curve(const Ranking& ranking, std::span<const double> thresholds) {
  std::vector<NetBenefit> curve;
  if (ranking.steps().empty()) return curve;
  const auto positives = static_cast<double>(ranking.positives());
  const auto negatives = static_cast<double>(ranking.negatives());
  const double cases = positives + negatives;
  const auto& steps = ranking.steps();
  size_t called = steps.size();  // steps at or above the threshold
  for (const double threshold : thresholds) {
    while (called > 0 && steps[called - 1].score < threshold) --called;
    const double odds = threshold / (1 - threshold);
    const auto benefit = [&](double true_positives, double false_positives) {
      return (true_positives - false_positives * odds) / cases;
    };
    curve.push_back({threshold,
                     called == 0 ? 0
                                 : benefit(static_cast<double>(steps[called - 1].true_positives),
                                           static_cast<double>(steps[called - 1].false_positives)),
                     benefit(positives, negatives)});
  }
  return curve;
}

MetricValue ppv_at(double sensitivity, double specificity, double prevalence) {
  const double right = sensitivity * prevalence, wrong = (1 - specificity) * (1 - prevalence);
  return ratio(right, right + wrong, "no case would be called positive");
}

MetricValue npv_at(double sensitivity, double specificity, double prevalence) {
  const double right = specificity * (1 - prevalence), wrong = (1 - sensitivity) * prevalence;
  return ratio(right, right + wrong, "no case would be called negative");
}

MetricValue positive_likelihood_ratio(const Counts& counts) {
  const MetricValue found = sensitivity(counts), spared = specificity(counts);
  if (!found.defined()) return found;
  if (!spared.defined()) return spared;
  return ratio(found.value, 1 - spared.value, "no negative case was called positive");
}

MetricValue negative_likelihood_ratio(const Counts& counts) {
  const MetricValue found = sensitivity(counts), spared = specificity(counts);
  if (!found.defined()) return found;
  if (!spared.defined()) return spared;
  return ratio(1 - found.value, spared.value, "every negative case was called positive");
}

}  // namespace fovea::metrics
