// What `fovea eval` leaves in a folder: metrics.json, predictions.csv and the plots.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fovea/metrics/coverage.h"
#include "fovea/metrics/predictions.h"
#include "fovea/metrics/subgroups.h"
#include "fovea/metrics/summary.h"

namespace fovea::report {

/// The version of the layout of metrics.json; it rises when a key changes its meaning.
inline constexpr int kMetricsSchema = 1;

struct Evaluation {
  std::string split = "test";
  bool plots = true;
  metrics::Coverage coverage = {};  ///< the cases that are not among the predictions
};

/// Writes, into a folder that exists or is made:
///   metrics.json      metrics with all digits; null, with the reason under "undefined", where there
///                     is none. "cases" are all of the split: "unknown" ones have no target, "failed"
///                     ones no finite output, and the metrics are over the "n" that are left
///   predictions.csv   of those n: id, group (if any; a pseudonym), label, p_<class> ..., decision (multi-label:
///                     label_ and decision_ per class)
///   roc.svg  precision_recall.svg  reliability.svg  confusion_matrix.svg (not in multi-label mode)
///   net_benefit.svg (binary)
/// and returns the summary line. Files of these names are replaced, each as a whole.
std::string write_evaluation(const std::filesystem::path& folder,
                             const metrics::Predictions& predictions,
                             const Evaluation& evaluation = {});

/// Puts the section "subgroups" into a metrics.json that is there:
///   {"sex": [{"value": "f", "n": 12, "figures": {"auc": 0.91, …}, "undefined": {…}}, …]}
/// with "small": true where there are fewer than 20 cases, and without number and figures where the group is
/// withheld. Nothing happens where there are no subgroups.
void add_subgroups(const std::filesystem::path& metrics_json,
                   const std::vector<metrics::SubgroupEstimates>& subgroups);

/// "split=test n=624 unknown=3 auc=0.9712 accuracy=0.8910 ...": all overall metrics in the order of
/// the catalogue, with four decimals; "undefined" where there is none.
std::string summary_line(const metrics::ClassificationSummary& summary, std::string_view split,
                         const metrics::Coverage& coverage = {});

/// The content of metrics.json.
std::string metrics_json(const metrics::ClassificationSummary& summary,
                         const metrics::Predictions& predictions, std::string_view split,
                         const metrics::Coverage& coverage = {});

/// The content of predictions.csv.
std::string predictions_csv(const metrics::Predictions& predictions);

}  // namespace fovea::report
