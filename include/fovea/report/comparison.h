// Several evaluations of the same cases, each beside the first.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fovea/metrics/comparison.h"
#include "fovea/report/stored.h"

namespace fovea::report {

struct ComparedTarget {
  std::string name;
  size_t cases = 0;
  size_t patients = 0;  ///< 0 where the data name none
  bool clustered = false;
  /// Of each evaluation but the first: less the first, metric by metric.
  std::vector<std::vector<metrics::Difference>> differences;
  /// The same p, each raised to what it is worth among the comparisons of its metric (Holm).
  std::vector<std::vector<double>> holm;
};

struct Comparison {
  std::vector<std::string> titles;  ///< of the evaluations
  std::string split;
  metrics::BootstrapOptions bootstrap;
  std::vector<ComparedTarget> targets;
};

/// Cases are matched by their ids. A data Error where the evaluations have other targets or other cases, where
/// an id occurs twice, where a case has another truth, or where patients are not the same.
Comparison compare_evaluations(const std::vector<StoredEvaluation>& evaluations,
                               const metrics::BootstrapOptions& options = {});

/// compare.json: every number with all digits.
std::string comparison_json(const Comparison& comparison);
/// The page of it, one HTML file that stands alone.
std::string comparison_page(const Comparison& comparison, std::string_view version);
/// Tables for a terminal, then a line for each target and evaluation:
/// "target=label first=a other=b n=624 auc=0.0123 low=… high=… p=0.0340 p_holm=0.0340".
std::string comparison_text(const Comparison& comparison);

}  // namespace fovea::report
