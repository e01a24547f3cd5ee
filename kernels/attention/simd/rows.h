// Rows of q, k, v and their gradients in memory: read as floats, written back.
#pragma once

#include "attention/simd/vec.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

/// Memory for one task, taken piece by piece; without memory it only counts.
struct Arena {
  float* memory = nullptr;
  std::int64_t used = 0;

  FOVEA_INLINE float* take(std::int64_t floats) {
    float* piece = memory ? memory + used : nullptr;
    used += (floats + 15) / 16 * 16;
    return piece;
  }
};

/// The rows of one head: row n begins at `base` + n `step`, or + place[n] `step`, where a place of -1 has none.
template <class T>
struct Rows {
  T* base = nullptr;
  std::int64_t step = 0, channel = 1;  // from one to the next, in elements
  const std::int32_t* place = nullptr;

  FOVEA_INLINE T* at(std::int64_t n) const {
    if (!place) return base + n * step;
    return place[n] < 0 ? nullptr : base + place[n] * step;
  }
};

template <class T>
FOVEA_INLINE Rows<T> rows_of(const Problem& p, const View& view, std::int64_t b, std::int64_t h) {
  const std::int64_t windows = p.windows.count;
  const std::int64_t image = windows ? b / windows : b;
  return {static_cast<T*>(view.data) + image * view.stride[0] + h * view.stride[1], view.stride[2],
          view.stride[3], windows ? p.windows.place + b % windows * p.Nq : nullptr};
}

FOVEA_INLINE void clear(float* row, std::int64_t wide) {
  for (std::int64_t j = 0; j < wide; j += kLanes) store(row + j, Vec{});
}

/// One row of `width` numbers as floats, zeros up to `wide`.
template <class T>
FOVEA_INLINE void read_row(float* to, const T* from, std::int64_t channel, std::int64_t width,
                           std::int64_t wide) {
  std::int64_t c = 0;
  if (channel == 1)
    for (; c + kLanes <= width; c += kLanes) store(to + c, load(from + c));
  for (; c < width; ++c) to[c] = number(from[c * channel]);
  for (; c < wide; ++c) to[c] = 0;
}

/// `width` floats times `factor` into a row.
template <class T>
FOVEA_INLINE void write_row(T* to, std::int64_t channel, const float* from, float factor,
                            std::int64_t width) {
  std::int64_t c = 0;
  if (channel == 1)
    for (; c + kLanes <= width; c += kLanes) store(to + c, load(from + c) * factor);
  for (; c < width; ++c) put(to + c * channel, from[c] * factor);
}

/// Zeros into rows begin to end.
template <class T>
FOVEA_INLINE void write_zeros(const Rows<T>& rows, std::int64_t begin, std::int64_t end,
                              std::int64_t width) {
  for (std::int64_t n = begin; n < end; ++n)
    if (T* to = rows.at(n))
      for (std::int64_t c = 0; c < width; ++c) put(to + c * rows.channel, 0);
}

/// to += factor from, `count` floats.
FOVEA_INLINE void add_scaled(float* to, const float* from, float factor, std::int64_t count) {
  std::int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) store(to + j, load(to + j) + load(from + j) * factor);
  if (const std::int64_t rest = count - j)
    store_some(to + j, load_some(to + j, rest) + load_some(from + j, rest) * factor, rest);
}

/// Floats [count, wide] in memory.
struct Block {
  const float* data;
  std::int64_t step;
};

/// Whether rows can be read where they are, as blocks of whole vectors.
template <class T>
FOVEA_INLINE bool in_place(const Rows<T>& rows, std::int64_t width) {
  return sizeof(T) == sizeof(float) && rows.channel == 1 && !rows.place && width % kLanes == 0;
}

/// Rows begin to end: where they are, or copied to `room`, [end - begin, padded(width)]. A row that is absent or not
/// `seen` is read as zeros.
template <class T>
FOVEA_INLINE Block block_of(const Rows<T>& rows, std::int64_t begin, std::int64_t end,
                            std::int64_t width, const std::uint8_t* seen, float* room) {
  if constexpr (sizeof(T) == sizeof(float))
    if (!seen && in_place(rows, width)) return {rows.at(begin), rows.step};
  const std::int64_t wide = padded(width);
  for (std::int64_t n = begin; n < end; ++n) {
    const T* row = seen && !seen[n] ? nullptr : rows.at(n);
    float* to = room + (n - begin) * wide;
    if (row)
      read_row(to, row, rows.channel, width, wide);
    else
      for (std::int64_t c = 0; c < wide; ++c) to[c] = 0;
  }
  return {room, wide};
}

constexpr std::int64_t kPanel = FOVEA_COLUMNS * kLanes;  // columns of a panel

FOVEA_INLINE std::int64_t panels(std::int64_t n) { return (n + kPanel - 1) / kPanel; }

/// Rows 0 to n, [n, width], turned: panels [width][kPanel] of columns, the B of a product over the width. Columns of rows
/// that are absent, not `seen` or beyond n are zeros, read from `nothing`: `width` floats.
template <class T>
FOVEA_INLINE void turn(const Rows<T>& rows, std::int64_t n, std::int64_t width,
                       const std::uint8_t* seen, float* nothing, float* to) {
  clear(nothing, padded(width));
  const T* const zeros = reinterpret_cast<const T*>(nothing);
  for (std::int64_t first = 0; first < n; first += kLanes) {
    float* panel = to + first / kPanel * kPanel * width + first % kPanel;
    const T* from[kLanes];
    std::int64_t step[kLanes];
    const bool all_there = !rows.place && !seen && first + kLanes <= n;
    for (int i = 0; i < kLanes; ++i) {
      const std::int64_t row = first + i;
      step[i] = rows.channel;
      if (all_there) {
        from[i] = rows.base + row * rows.step;
      } else {
        from[i] = row < n && !(seen && !seen[row]) ? rows.at(row) : nullptr;
        if (!from[i]) from[i] = zeros, step[i] = 1;
      }
    }
    std::int64_t c = 0;
    if (rows.channel == 1)
      for (; c + kLanes <= width; c += kLanes) {
        Vec square[kLanes];
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) square[i] = load(from[i] + c);
        transpose(square);
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) store(panel + (c + i) * kPanel, square[i]);
      }
    for (; c < width; ++c)
      for (int i = 0; i < kLanes; ++i) panel[c * kPanel + i] = number(from[i][c * step[i]]);
  }
}

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
