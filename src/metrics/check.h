// What every metric asks of the numbers it is given.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fovea::metrics {

void check_sizes(const char* what, size_t found, size_t wanted);
void check_not_nan(const char* doing, double score, size_t row);
void check_probability(const char* doing, double probability, size_t row);
void check_label(const char* doing, uint8_t label, size_t row);              ///< 0 or 1
void check_class(const char* doing, int label, size_t classes, size_t row);  ///< in [0, classes)

}  // namespace fovea::metrics
