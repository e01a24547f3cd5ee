#include "metrics/check.h"

#include <fmt/format.h>

#include <cmath>

#include "fovea/core/error.h"

namespace fovea::metrics {

void check_sizes(const char* what, size_t found, size_t wanted) {
  if (found == wanted) return;
  throw config_error(fmt::format("{}: found {} values, wanted {}", what, found, wanted));
}

void check_not_nan(const char* doing, double score, size_t row) {
  if (!std::isnan(score)) return;
  throw data_error(fmt::format(
      "{}: the score of case {} is NaN; the model or its input is not finite", doing, row));
}

void check_probability(const char* doing, double probability, size_t row) {
  if (probability >= 0 && probability <= 1) return;
  throw data_error(fmt::format("{}: case {} has probability {}; wanted a number from 0 to 1", doing,
                               row, probability));
}

void check_label(const char* doing, uint8_t label, size_t row) {
  if (label <= 1) return;
  throw data_error(fmt::format("{}: case {} has label {}; wanted 0 or 1", doing, row, int{label}));
}

void check_class(const char* doing, int label, size_t classes, size_t row) {
  if (label >= 0 && static_cast<size_t>(label) < classes) return;
  throw data_error(fmt::format("{}: case {} has class {}; wanted 0 to {}", doing, row, label,
                               static_cast<int64_t>(classes) - 1));
}

}  // namespace fovea::metrics
