#include "attention/windows.h"

#include <ATen/Parallel.h>

namespace fovea::attention {
namespace {

using std::int64_t;

/// Goes through all coordinates of a box in row-major order.
bool next(Sizes& at, const Sizes& box) {
  for (size_t d = box.size(); d-- > 0; at[d] = 0)
    if (++at[d] < box[d]) return true;
  return false;
}

/// By-heads loops: each head is summed in the order of its positions, so threads change no bit.
template <class Each>
void for_heads(int64_t heads, const Each& each) {
  at::parallel_for(0, heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; ++h) each(h);
  });
}

}  // namespace

WindowTables window_tables(const Sizes& grid, const Sizes& window, const Sizes& shift) {
  const size_t dims = grid.size();
  Sizes windows, padded;
  bool shifted = false;
  for (size_t d = 0; d < dims; ++d) {
    windows.push_back((grid[d] + window[d] - 1) / window[d]);
    padded.push_back(windows[d] * window[d]);
    shifted |= shift[d] > 0;
  }
  WindowTables tables;
  Sizes first(dims), inside(dims);
  do {
    do {
      int64_t place = 0, region = 0;
      for (size_t d = 0; d < dims; ++d) {
        const int64_t rolled = first[d] * window[d] + inside[d];
        const int64_t at = (rolled + shift[d]) % padded[d];
        place = place < 0 || at >= grid[d] ? -1 : place * grid[d] + at;
        region = region * 3 + (rolled >= padded[d] - window[d]) + (rolled >= padded[d] - shift[d]);
      }
      tables.place.push_back(static_cast<std::int32_t>(place));
      if (shifted) tables.region.push_back(static_cast<std::uint8_t>(region));
    } while (next(inside, window));
  } while (next(first, windows));
  return tables;
}

RelativePositions::RelativePositions(const Sizes& window) {
  Sizes at(window.size());
  do {
    int64_t linear = 0;
    for (size_t d = 0; d < window.size(); ++d) linear = linear * (2 * window[d] - 1) + at[d];
    code.push_back(linear);
  } while (next(at, window));
  center = code.back();
  for (const int64_t size : window) rows *= 2 * size - 1;
}

template <class Number>
void spread_table(const RelativePositions& relative, int64_t heads, const Number* table,
                  Number* bias) {
  const auto n = static_cast<int64_t>(relative.code.size());
  for_heads(heads, [&](int64_t h) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        bias[(h * n + i) * n + j] =
            table[(relative.code[i] - relative.code[j] + relative.center) * heads + h];
  });
}

template <class Number>
void gather_table(const RelativePositions& relative, int64_t heads, const Number* dbias,
                  Number* dtable) {
  const auto n = static_cast<int64_t>(relative.code.size());
  for_heads(heads, [&](int64_t h) {
    std::vector<double> sums(relative.rows);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        sums[relative.code[i] - relative.code[j] + relative.center] += dbias[(h * n + i) * n + j];
    for (int64_t row = 0; row < relative.rows; ++row)
      dtable[row * heads + h] = static_cast<Number>(sums[row]);
  });
}

template void spread_table(const RelativePositions&, int64_t, const float*, float*);
template void spread_table(const RelativePositions&, int64_t, const double*, double*);
template void gather_table(const RelativePositions&, int64_t, const float*, float*);
template void gather_table(const RelativePositions&, int64_t, const double*, double*);

}  // namespace fovea::attention
