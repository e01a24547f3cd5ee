// Windows of a grid as tables of positions (Liu et al., Swin Transformer, 2021).
#pragma once

#include <cstdint>
#include <vector>

namespace fovea::attention {

using Sizes = std::vector<std::int64_t>;

/// What Windows of problem.h points at: [windows, N].
struct WindowTables {
  std::vector<std::int32_t> place;   ///< row of the image in which a position lies; -1: outside
  std::vector<std::uint8_t> region;  ///< empty without a shift
};

/// The grid, rounded up to whole windows, is rolled by -shift and cut. Per dimension of length G, positions of one window
/// see each other within the rolled coordinates below G - w, from there below G - s, and from there on.
WindowTables window_tables(const Sizes& grid, const Sizes& window, const Sizes& shift);

/// Positions i and j of a window lie code[i] - code[j] + center apart: a row of the table of prod(2 window - 1) rows.
struct RelativePositions {
  explicit RelativePositions(const Sizes& window);
  std::vector<std::int64_t> code;
  std::int64_t center = 0, rows = 1;
};

/// table [rows, heads] -> bias [heads, N, N], and the sums the other way. Number: float or double.
template <class Number>
void spread_table(const RelativePositions& relative, std::int64_t heads, const Number* table,
                  Number* bias);
template <class Number>
void gather_table(const RelativePositions& relative, std::int64_t heads, const Number* dbias,
                  Number* dtable);

}  // namespace fovea::attention
