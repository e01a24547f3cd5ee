// Where the samples of an image lie in space. The coordinates are those of DICOM: millimetres, LPS (x
// to the patient's left, y to the back, z to the head; PS3.3 C.7.6.2.1.1).
#pragma once

#include <array>
#include <cstdint>

#include "fovea/core/standard_library.h"

namespace fovea {

/// Three coordinates, of a place or of a voxel: x or i (columns), y or j (rows), z or k (slices).
using Point = std::array<double, 3>;

/// A place to a place: row r gives coordinate r, its last number is added.
struct Affine {
  std::array<std::array<double, 4>, 3> rows{{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};

  Point operator()(const Point& at) const;
  /// First `first`, then this.
  Affine after(const Affine& first) const;
  double determinant() const;
  /// The way back; a config Error where there is none.
  Affine inverse() const;
  bool operator==(const Affine&) const = default;
};

/// Of an image [D, H, W]: voxel (i, j, k) is the sample [k, j, i], and its centre lies at
/// affine(i, j, k). Without millimetres the affine counts samples, and is the identity as decoded.
///
/// Each step that moves samples multiplies the affine, so that an answer finds its way back to the
/// grid that the scanner made.
struct Grid {
  std::array<int64_t, 3> size{1, 1, 1};  ///< columns, rows, slices
  Affine affine;
  bool millimetres = false;

  Point spacing() const;  ///< from a voxel to the next along each of its own axes
  /// The largest distance between the places of a corner voxel's centre here and in `other`, which
  /// has as many voxels; infinity where it has not.
  double corner_error(const Grid& other) const;
  /// The grid of an image whose voxel v is sampled at voxel map(v) of this one.
  Grid times(const Affine& map, const std::array<int64_t, 3>& new_size) const;
  bool operator==(const Grid&) const = default;
};

/// The affine of slices that lie on each other in even steps: `row` and `column`
/// are the unit vectors along which a row and a column of pixels run.
Affine affine_of(const Point& row, const Point& column, double between_columns, double between_rows,
                 const Point& slice_step, const Point& first);

}  // namespace fovea
