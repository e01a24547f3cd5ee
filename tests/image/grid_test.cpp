#include "fovea/image/grid.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fovea/core/error.h"

namespace fovea {
namespace {

/// Turned by 30 degrees about z, columns 0.5 mm and rows 0.7 mm apart, slices 3 mm.
Grid turned() {
  const double c = std::cos(M_PI / 6), s = std::sin(M_PI / 6);
  return {{4, 5, 6}, affine_of({c, s, 0}, {-s, c, 0}, 0.5, 0.7, {0, 0, 3}, {-10, 20, 30}), true};
}

void expect_near(const Point& found, const Point& wanted) {
  for (size_t axis = 0; axis < 3; ++axis) EXPECT_NEAR(found[axis], wanted[axis], 1e-12) << axis;
}

TEST(Grid, AVoxelsCentreLiesWhereTheScannerSays) {
  const Grid grid = turned();
  expect_near(grid.affine({0, 0, 0}), {-10, 20, 30});
  // Three columns along a row: 1.5 mm at 30 degrees.
  expect_near(grid.affine({3, 0, 2}), {-10 + 1.5 * std::cos(M_PI / 6), 20.75, 36});
  expect_near(grid.spacing(), {0.5, 0.7, 3});
}

TEST(Grid, TheWayBackIsTheInverse) {
  const Affine there = turned().affine, back = there.inverse();
  expect_near(back(there({1.25, -3, 7})), {1.25, -3, 7});
  EXPECT_NEAR(there.determinant() * back.determinant(), 1, 1e-12);
  Affine flat;
  flat.rows[1] = flat.rows[0];
  EXPECT_THROW(flat.inverse(), Error);
}

TEST(Grid, AStepOfSamplesMultipliesTheAffine) {
  const Grid grid = turned();
  Affine every_second;  // voxel v is sampled at 2 v + 0.5
  for (size_t axis = 0; axis < 3; ++axis) every_second.rows[axis][axis] = 2;
  for (auto& row : every_second.rows) row[3] = 0.5;
  const Grid half = grid.times(every_second, {2, 2, 3});
  expect_near(half.affine({1, 0, 1}), grid.affine({2.5, 0.5, 2.5}));
  expect_near(half.spacing(), {1, 1.4, 6});
  EXPECT_TRUE(half.millimetres);
}

TEST(Grid, TheCornersTellHowFarTwoGridsAreApart) {
  Grid grid = turned(), moved = turned();
  EXPECT_EQ(grid.corner_error(moved), 0);
  moved.affine.rows[2][3] += 0.25;
  EXPECT_NEAR(grid.corner_error(moved), 0.25, 1e-12);
  moved = turned();
  moved.affine.rows[0][0] *= 1.1;  // 0.05 cos 30 mm a column, over three columns
  EXPECT_NEAR(grid.corner_error(moved), 3 * 0.05 * std::cos(M_PI / 6), 1e-12);
  moved.size = {4, 5, 7};
  EXPECT_TRUE(std::isinf(grid.corner_error(moved)));
}

}  // namespace
}  // namespace fovea
