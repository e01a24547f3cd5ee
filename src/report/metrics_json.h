// Metrics as JSON: what every metrics.json has.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "fovea/metrics/coverage.h"
#include "fovea/metrics/summary.h"

namespace fovea::report {

/// null in place of what is no number: NaN stands for what is undefined.
inline nlohmann::ordered_json finite(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

/// Puts "figures", and "undefined" and "notes" where there are such, into `json`.
void put_metrics(nlohmann::ordered_json& json, const std::vector<metrics::NamedMetric>& metrics);

/// Puts "cases" (all of the split), "known" and "unknown" (with and without a target), "failed" of
/// the known (and "failed_ids", where there are any) and "n", the `evaluated` that the metrics are
/// over.
void put_coverage(nlohmann::ordered_json& json, size_t evaluated,
                  const metrics::Coverage& coverage);

/// "split=test n=621 unknown=2 failed=1"; without what is 0.
std::string coverage_line(std::string_view split, size_t evaluated,
                          const metrics::Coverage& coverage);

/// " auc=0.9712 accuracy=0.8910": four decimals; "undefined" where there is none.
std::string metrics_line(const std::vector<metrics::NamedMetric>& metrics);

}  // namespace fovea::report
