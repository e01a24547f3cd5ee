#include "fovea/image/grid.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fovea/core/error.h"

namespace fovea {

Point Affine::operator()(const Point& at) const {
  Point to;
  for (size_t r = 0; r < 3; ++r)
    to[r] = rows[r][0] * at[0] + rows[r][1] * at[1] + rows[r][2] * at[2] + rows[r][3];
  return to;
}

Affine Affine::after(const Affine& first) const {
  Affine both;
  for (size_t r = 0; r < 3; ++r)
    for (size_t c = 0; c < 4; ++c) {
      both.rows[r][c] = c == 3 ? rows[r][3] : 0;
      for (size_t k = 0; k < 3; ++k) both.rows[r][c] += rows[r][k] * first.rows[k][c];
    }
  return both;
}

double Affine::determinant() const {
  const auto& m = rows;
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
         m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

Affine Affine::inverse() const {
  const double det = determinant();
  if (!std::isfinite(det) || det == 0)
    throw config_error("an affine map that folds space has no inverse");
  const auto& m = rows;
  const auto cofactor = [&](size_t r, size_t c) {
    const size_t r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
    return m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1];
  };
  Affine back;
  for (size_t r = 0; r < 3; ++r) {
    double shift = 0;
    for (size_t c = 0; c < 3; ++c) {
      back.rows[r][c] = cofactor(c, r) / det;
      shift += back.rows[r][c] * m[c][3];
    }
    back.rows[r][3] = -shift;
  }
  return back;
}

Point Grid::spacing() const {
  Point along;
  for (size_t c = 0; c < 3; ++c)
    along[c] = std::hypot(affine.rows[0][c], affine.rows[1][c], affine.rows[2][c]);
  return along;
}

double Grid::corner_error(const Grid& other) const {
  if (other.size != size) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (int corner = 0; corner < 8; ++corner) {
    Point voxel;
    for (size_t axis = 0; axis < 3; ++axis)
      voxel[axis] = (corner >> axis & 1) != 0 ? static_cast<double>(size[axis] - 1) : 0;
    const Point here = affine(voxel), there = other.affine(voxel);
    largest =
        std::max(largest, std::hypot(here[0] - there[0], here[1] - there[1], here[2] - there[2]));
  }
  return largest;
}

Grid Grid::times(const Affine& map, const std::array<int64_t, 3>& new_size) const {
  return {new_size, affine.after(map), millimetres};
}

Affine affine_of(const Point& row, const Point& column, double between_columns, double between_rows,
                 const Point& slice_step, const Point& first) {
  Affine affine;
  for (size_t r = 0; r < 3; ++r)
    affine.rows[r] = {row[r] * between_columns, column[r] * between_rows, slice_step[r], first[r]};
  return affine;
}

}  // namespace fovea
