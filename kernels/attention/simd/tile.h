// The one product that attention is made of: C (+)= A B, A's numbers spread over a vector, B's rows read as vectors, a tile
// of C in registers.
#pragma once

#include "attention/simd/vec.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

/// How a product reads A: by its rows, A[r][k] at a[r step + k], or by its columns, at a[k step + r].
enum class Read { rows, columns };

/// Numbers are floats.
struct Multiply {
  FOVEA_INLINE static Vec add(Vec sum, float x, Vec row) { return sum + x * row; }
};

template <class Op, Read read, bool add, int rows, int columns>
FOVEA_INLINE void tile(const float* a, std::int64_t a_step, const float* b, std::int64_t b_step,
                       std::int64_t depth, float* c, std::int64_t c_step) {
  Vec sums[rows][columns];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < columns; ++j) {
      if constexpr (add)
        sums[r][j] = load(c + r * c_step + j * kLanes);
      else
        sums[r][j] = Vec{};
    }
  for (std::int64_t k = 0; k < depth; ++k) {
    Vec row[columns];
#pragma GCC unroll 4
    for (int j = 0; j < columns; ++j) row[j] = load(b + k * b_step + j * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const float x = read == Read::rows ? a[r * a_step + k] : a[k * a_step + r];
#pragma GCC unroll 4
      for (int j = 0; j < columns; ++j) sums[r][j] = Op::add(sums[r][j], x, row[j]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < columns; ++j) store(c + r * c_step + j * kLanes, sums[r][j]);
}

/// All rows of C, `columns` vectors of each.
template <class Op, Read read, bool add, int columns>
__attribute__((noinline)) void tiles(const float* a, std::int64_t a_step, const float* b,
                                     std::int64_t b_step, std::int64_t depth, float* c,
                                     std::int64_t c_step, std::int64_t rows) {
  const std::int64_t a_row = read == Read::rows ? a_step : 1;
  std::int64_t r = 0;
  const auto some = [&]<int count>(std::integral_constant<int, count>)
      __attribute__((always_inline)) {
    for (; r + count <= rows; r += count)
      tile<Op, read, add, count, columns>(a + r * a_row, a_step, b, b_step, depth, c + r * c_step,
                                          c_step);
  };
  constexpr int most = FOVEA_ROWS(columns);
  some(std::integral_constant<int, most>());
  if constexpr (most > 4) some(std::integral_constant<int, 4>());
  if constexpr (most > 2) some(std::integral_constant<int, 2>());
  some(std::integral_constant<int, 1>());
}

constexpr int kColumns = FOVEA_COLUMNS;  // vectors side by side in a tile, at most

/// C [rows, width] (+)= A [rows, depth] B [depth, width]; width in whole vectors. B's columns stand in panels of kColumns
/// vectors, `panel` floats from one to the next: kColumns * kLanes for plain rows.
template <class Op, Read read, bool add>
void product(const float* a, std::int64_t a_step, const float* b, std::int64_t b_step,
             std::int64_t panel, std::int64_t depth, float* c, std::int64_t c_step,
             std::int64_t rows, std::int64_t width) {
  std::int64_t vectors = width / kLanes;
  for (; vectors >= kColumns; vectors -= kColumns, b += panel, c += kColumns * kLanes)
    tiles<Op, read, add, kColumns>(a, a_step, b, b_step, depth, c, c_step, rows);
  if constexpr (kColumns > 3)
    if (vectors == 3) tiles<Op, read, add, 3>(a, a_step, b, b_step, depth, c, c_step, rows);
  if constexpr (kColumns > 2)
    if (vectors == 2) tiles<Op, read, add, 2>(a, a_step, b, b_step, depth, c, c_step, rows);
  if (vectors == 1) tiles<Op, read, add, 1>(a, a_step, b, b_step, depth, c, c_step, rows);
}

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
