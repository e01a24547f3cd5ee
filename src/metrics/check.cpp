#include "metrics/check.h"

#include <fmt/format.h>

#include "fovea/core/error.h"

namespace fovea::metrics {

void check_sizes(const char* what, size_t found, size_t wanted) {
  if (found == wanted) return;
  throw config_error(fmt::format("{}: found {} values, wanted {}", what, found, wanted));
}

void check_weights(std::span<const int32_t> weights, size_t cases) {
  if (!weights.empty()) check_sizes("weights, one per case", weights.size(), cases);
}

const char* missing_class(int64_t positives, int64_t negatives) {
  if (positives > 0 && negatives > 0) return nullptr;
  return positives > 0 ? "no negative case" : negatives > 0 ? "no positive case" : "no cases";
}

void check_clusters(std::span<const uint32_t> clusters, size_t cases) {
  check_sizes("clusters, one per case", clusters.size(), cases);
  for (const uint32_t cluster : clusters)
    if (cluster >= cases)
      throw config_error(fmt::format(
          "clusters: found the number {} among {} cases; wanted numbers from 0 on, without gaps",
          cluster, cases));
}

void refuse_nan(const char* doing, size_t row) {
  throw data_error(fmt::format(
      "{}: the score of case {} is NaN; the model or its input is not finite", doing, row));
}

void refuse_probability(const char* doing, double probability, size_t row) {
  throw data_error(fmt::format("{}: case {} has probability {}; wanted a number from 0 to 1", doing,
                               row, probability));
}

void refuse_label(const char* doing, int label, size_t row) {
  throw data_error(fmt::format("{}: case {} has label {}; wanted 0 or 1", doing, row, label));
}

void refuse_class(const char* doing, int label, size_t classes, size_t row) {
  throw data_error(fmt::format("{}: case {} has class {}; wanted 0 to {}", doing, row, label,
                               static_cast<int64_t>(classes) - 1));
}

}  // namespace fovea::metrics
