// What every metric asks of the numbers it is given.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace fovea::metrics {

void check_sizes(const char* what, size_t found, size_t wanted);
/// None, or one for each case.
void check_weights(std::span<const int32_t> weights, size_t cases);
/// How often case `row` counts: without weights, once.
inline int32_t weight_of(std::span<const int32_t> weights, size_t row) {
  return weights.empty() ? 1 : weights[row];
}
/// Which class has no case, in words; null where both occur.
const char* missing_class(int64_t positives, int64_t negatives);
/// Each below the number of cases, so that what is made for each patient is bounded.
void check_clusters(std::span<const uint32_t> clusters, size_t cases);
[[noreturn]] void refuse_nan(const char* doing, size_t row);
[[noreturn]] void refuse_probability(const char* doing, double probability, size_t row);
[[noreturn]] void refuse_label(const char* doing, int label, size_t row);
[[noreturn]] void refuse_class(const char* doing, int label, size_t classes, size_t row);

inline void check_not_nan(const char* doing, double score, size_t row) {
  if (std::isnan(score)) refuse_nan(doing, row);
}
inline void check_probability(const char* doing, double probability, size_t row) {
  if (!(probability >= 0 && probability <= 1)) refuse_probability(doing, probability, row);
}
/// 0 or 1.
inline void check_label(const char* doing, uint8_t label, size_t row) {
  if (label > 1) refuse_label(doing, label, row);
}
/// In [0, classes).
inline void check_class(const char* doing, int label, size_t classes, size_t row) {
  if (label < 0 || static_cast<size_t>(label) >= classes) refuse_class(doing, label, classes, row);
}

}  // namespace fovea::metrics
