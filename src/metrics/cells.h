// What the tests of cells share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "fovea/metrics/homogeneity.h"

namespace fovea::metrics {

inline double real(int64_t count) { return static_cast<double>(count); }

/// Where row i, column j of a symmetric matrix is in its lower triangle.
inline size_t place(size_t i, size_t j) {
  return i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i;
}

/// group [k]: the new cell of each old one; negative: it holds nothing.
Cells regrouped(const Cells& cells, std::span<const int> group, size_t groups);

}  // namespace fovea::metrics
