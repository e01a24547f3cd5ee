#include "fovea/metrics/summary.h"

#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/metrics/catalogue.h"

namespace fovea::metrics {

const MetricValue& ClassificationSummary::metric(std::string_view name) const {
  for (const NamedMetric& entry : overall) {
    if (entry.name == name) return entry.value;
  }
  throw config_error(fmt::format("the metric '{}' is not among the metrics of {} predictions", name,
                                 name_of(mode)));
}

ClassificationSummary summarize(const Predictions& predictions) {
  return summarize(predictions, score(predictions));
}

ClassificationSummary summarize(const Predictions& predictions, const Scored& scored) {
  ClassificationSummary summary;
  summary.mode = predictions.mode;
  summary.cases = predictions.cases();
  summary.groups = predictions.distinct_groups();
  summary.confusion = scored.confusion;
  for (const Metric& metric : catalogue()) {
    if (metric.applies(scored.mode))
      summary.overall.push_back({std::string(metric.name), metric(scored)});
  }
  for (const Question& question : scored.questions) {
    ClassSummary of_class{question.name, question.counts, {}};
    for (const Metric& metric : catalogue()) {
      if (!metric.has_classes(scored.mode)) continue;
      of_class.metrics.push_back({std::string(metric.name), metric.of_question(question)});
    }
    summary.classes.push_back(std::move(of_class));
  }
  return summary;
}

}  // namespace fovea::metrics
