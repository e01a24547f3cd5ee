// Every metric of a classification, in one fixed order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/metrics/counts.h"
#include "fovea/metrics/metric_value.h"
#include "fovea/metrics/predictions.h"

namespace fovea::metrics {

struct Scored;

struct NamedMetric {
  std::string name;  ///< of the catalogue
  MetricValue value;
};

/// One class against the rest, or one label.
struct ClassSummary {
  std::string name;
  Counts counts;  ///< counts.cases() are those whose label is known
  std::vector<NamedMetric> metrics;
};

struct ClassificationSummary {
  Mode mode = Mode::binary;
  size_t cases = 0;
  size_t groups = 0;  ///< patients; 0 where the data has none
  std::vector<NamedMetric> overall;
  std::vector<ClassSummary>
      classes;  ///< multi-class and multi-label; in binary mode the positive class alone
  ConfusionMatrix confusion;  ///< binary, multi-class; empty otherwise

  /// Throws an Error (config) where the metric is not among `overall`.
  const MetricValue& metric(std::string_view name) const;
};

/// All metrics of the catalogue that apply to the mode.
ClassificationSummary summarize(const Predictions& predictions);
/// The same where the predictions have been scored already.
ClassificationSummary summarize(const Predictions& predictions, const Scored& scored);

}  // namespace fovea::metrics
