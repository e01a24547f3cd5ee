// A decoded image as the file formats hand it over: samples in their own type, nothing scaled,
// nothing lost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fovea/image/grid.h"

namespace fovea {

/// The type of one stored sample.
enum class Sample { u8, i8, u16, i16, u32, i32, f32, f64 };

inline int64_t bytes_of(Sample sample) {
  switch (sample) {
    case Sample::u8:
    case Sample::i8:
      return 1;
    case Sample::u16:
    case Sample::i16:
      return 2;
    case Sample::f64:
      return 8;
    default:
      return 4;
  }
}

/// Pixels in C order [frames, height, width, channels], channels interleaved (1 grey, 3 RGB). Host
/// byte order.
///
/// A photograph has one frame; a volume or a multi-frame object has several. `slope` and
/// `intercept` turn a stored sample into a physical value (v * slope + intercept; Hounsfield units
/// for CT); formats without such a rule leave 1 and 0.
struct Image {
  int64_t frames = 1;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 1;
  Sample sample = Sample::u8;
  std::vector<std::byte> pixels;

  double slope = 1;
  double intercept = 0;
  std::array<double, 3> spacing_mm{0, 0, 0};  ///< between slices, rows, columns; 0 where unknown
  std::optional<Affine> affine = {};          ///< of voxels to the patient; nothing where unknown
  std::vector<std::string>
      notes;  ///< what was done or ignored while reading, for `inspect` and the log

  int64_t samples() const { return frames * height * width * channels; }
  /// In millimetres where there is a spacing: without a position the origin is the first voxel and the
  /// axes are those of the image. Else in samples.
  Grid grid() const {
    Grid grid{{width, height, frames}, {}, true};
    if (affine)
      grid.affine = *affine;
    else if (spacing_mm[1] <= 0)
      grid.millimetres = false;
    else
      grid.affine = affine_of({1, 0, 0}, {0, 1, 0}, spacing_mm[2], spacing_mm[1],
                              {0, 0, spacing_mm[0] > 0 ? spacing_mm[0] : 1}, {0, 0, 0});
    return grid;
  }
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(pixels.data());
  }
  template <class T>
  T* data() {
    return reinterpret_cast<T*>(pixels.data());
  }
};

}  // namespace fovea
