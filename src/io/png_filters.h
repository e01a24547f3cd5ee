// The row filters of PNG (ISO 15948, clause 9), which predict each byte from the pixel to the left,
// the one above, and the one above that to the left.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fovea::io {

enum PngFilter : uint8_t { kNone, kSub, kUp, kAverage, kPaeth };
constexpr int kPngFilters = 5;

/// Undoes the filter of one row. `above` is the row before it, undone, or `bytes` zeros for the
/// first; `row` overlaps neither. A pixel of `pixel` bytes (1, 2, 3, 4, 6 or 8) divides `bytes`.
void undo_filter(PngFilter filter, const uint8_t* coded, const uint8_t* above, uint8_t* row,
                 size_t bytes, size_t pixel);

/// The other way round: filters `row` into `coded`.
void apply_filter(PngFilter filter, const uint8_t* row, const uint8_t* above, uint8_t* coded,
                  size_t bytes, size_t pixel);

}  // namespace fovea::io
