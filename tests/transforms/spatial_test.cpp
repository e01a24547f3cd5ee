// An image and what lives in its space. The oracle is the image itself: its channels say where each
// sample came from, and are moved by code of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/transforms/spatial/geometry.h"
#include "fovea/transforms/spatial/warps.h"
#include "transforms/images.h"

namespace fovea::transforms {
namespace {

using testing::HasSubstr;
using torch::Tensor;

constexpr float kNowhere = -1e6;

/// Channel 0 is the column of each sample, channel 1 the row, channel 2 the slice.
Tensor coordinates(int64_t depth, int64_t height, int64_t width, bool volume) {
  const Tensor x = torch::arange(width).expand({depth, height, width});
  const Tensor y = torch::arange(height).unsqueeze(1).expand({depth, height, width});
  const Tensor z = torch::arange(depth).view({depth, 1, 1}).expand({depth, height, width});
  const Tensor all = at::stack({x, y, z}).to(torch::kFloat32).contiguous();
  return volume ? all : all.squeeze(1);
}

struct Ellipsoid {
  std::array<double, 3> middle, half;  // columns, rows, slices; of voxel centres

  /// Below 1 inside; about how many voxels to the rim: |g - 1| times the shortest half axis.
  double at(double x, double y, double z) const {
    return std::hypot((x - middle[0]) / half[0], (y - middle[1]) / half[1],
                      (z - middle[2]) / half[2]);
  }
  double shortest(bool volume) const {
    return std::min({half[0], half[1], volume ? half[2] : half[0]});
  }
};

struct Study {
  Scene scene;
  Ellipsoid lesion;
  bool volume;
};

Study study(bool volume) {
  const int64_t depth = volume ? 20 : 1, height = 40, width = 48;
  Study made{.scene = {},
             .lesion = {{20.3, 21.7, volume ? 9.4 : 0}, {9, 6, volume ? 5 : 1e9}},
             .volume = volume};
  const auto& [m, h] = made.lesion;
  Scene& scene = made.scene;
  scene.image = coordinates(depth, height, width, volume);
  scene.grid.size = {width, height, depth};
  Tensor mask = torch::zeros({depth, height, width}, torch::kUInt8);
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t j = 0; j < height; ++j)
      for (int64_t i = 0; i < width; ++i)
        if (made.lesion.at(double(i), double(j), double(k)) <= 1) mask[k][j][i] = 1;
  std::vector<float> box, middle;
  for (const double sign : {-1.0, 1.0})
    for (size_t axis = 0; axis < (volume ? 3u : 2u); ++axis)
      box.push_back(static_cast<float>(m[axis] + 0.5 + sign * h[axis]));
  for (size_t axis = 0; axis < (volume ? 3u : 2u); ++axis)
    middle.push_back(static_cast<float>(m[axis] + 0.5));
  box.push_back(4);  // its class
  scene.others = {{"mask", Layout::mask, volume ? mask : mask[0]},
                  {"box", Layout::boxes, torch::tensor(box).unsqueeze(0)},
                  {"middle", Layout::points, torch::tensor(middle).unsqueeze(0)}};
  return made;
}

/// [C, D, H, W] of an image or a volume.
Tensor as_volume(const Tensor& image, bool volume) {
  return (volume ? image : image.unsqueeze(1)).contiguous();
}

std::vector<std::pair<std::string, TransformPtr>> steps(bool volume) {
  const Outside filled{.border = "constant", .fill = kNowhere};
  std::vector<std::pair<std::string, TransformPtr>> all = {
      {"resize", resize({.size = {33, 61}})},
      {"resize in its aspect", resize({.size = {52, 50}, .keep_aspect = true, .fill = kNowhere})},
      {"crop", crop({.size = {28, 30}, .where = "random"})},
      {"pad", pad({.size = {50, 64}, .fill = kNowhere})},
      {"flip of columns", flip({.axis = "width", .probability = 1})},
      {"flip of rows", flip({.axis = "height", .probability = 1})},
      {"rotate", rotate({.degrees = {180}, .outside = filled})},
      {"affine", affine({.degrees = {30},
                         .translate = {0.1},
                         .scale = {0.7, 1.4},
                         .shear = {15},
                         .outside = filled})},
      {"elastic", elastic({.alpha = 2, .sigma = 8, .outside = filled})}};
  if (volume) {
    all.emplace_back("resize of slices", resize({.size = {13, 40, 48}}));
    all.emplace_back("crop of slices", crop({.size = {14, 30, 40}, .where = "random"}));
    all.emplace_back("pad of slices", pad({.size = {26, 44, 52}, .fill = kNowhere}));
    all.emplace_back("flip of slices", flip({.axis = "depth", .probability = 1}));
  }
  return all;
}

struct Check {
  int64_t wrong = 0, checked = 0;
};

/// Each voxel of the mask that came from more than half a voxel from the lesion's rim: half its
/// diagonal, for so far from the nearest centre, which decides, it may be.
Check mask_against_image(const Study& study, const std::string& step) {
  const Scene& scene = study.scene;
  const Tensor from = as_volume(scene.image, study.volume);
  const Tensor& given = scene.others[0].values;
  const Tensor mask = (study.volume ? given : given.unsqueeze(0)).contiguous();
  const int64_t count = mask.numel();
  const float* x = from.const_data_ptr<float>();
  const float *y = x + count, *z = y + count;
  Check check;
  for (int64_t v = 0; v < count; ++v) {
    const auto found = mask.const_data_ptr<uint8_t>()[v];
    // Where interpolation mixed in what lies outside the image says nothing.
    if (x[v] <= 0 || y[v] <= 0 || x[v] >= 47 || y[v] >= 39 || z[v] < 0 || z[v] > 19) {
      if (x[v] == kNowhere && found != kIgnored) ++check.wrong;
      continue;
    }
    const double g = study.lesion.at(x[v], y[v], z[v]);
    const double half = 0.5 * std::sqrt(study.volume ? 3 : 2) + 0.05;  // antialiasing bends a ramp
    if (std::abs(g - 1) * study.lesion.shortest(study.volume) <= half) continue;
    ++check.checked;
    if (found != (g < 1 ? 1 : 0)) ++check.wrong;
  }
  EXPECT_GT(check.checked, count / 4) << step;
  return check;
}

/// The values of the image at a place [d] of the output, from its edge on.
std::array<double, 3> at_place(const Scene& scene, const float* place, bool volume) {
  const Tensor image = as_volume(scene.image, volume);
  const std::array<int64_t, 3> size{image.size(3), image.size(2), image.size(1)};
  std::array<double, 3> voxel{place[0] - 0.5, place[1] - 0.5, volume ? place[2] - 0.5 : 0};
  std::array<double, 3> value{};
  for (int corner = 0; corner < 8; ++corner) {
    double weight = 1;
    std::array<int64_t, 3> at;
    for (size_t axis = 0; axis < 3; ++axis) {
      const double low = std::floor(voxel[axis]);
      const bool up = (corner >> axis & 1) != 0;
      weight *= up ? voxel[axis] - low : 1 - (voxel[axis] - low);
      at[axis] = std::clamp<int64_t>(static_cast<int64_t>(low) + up, 0, size[axis] - 1);
    }
    for (int64_t c = 0; c < 3; ++c)
      value[static_cast<size_t>(c)] += weight * image[c][at[2]][at[1]][at[0]].item<double>();
  }
  return value;
}

TEST(Spatial, MaskPointsAndBoxesGoWhereTheImageGoes) {
  int64_t draws = 0;
  for (const bool volume : {false, true}) {
    const Study before = study(volume);
    const auto all = steps(volume);
    for (const auto& [name, step] : all) {
      SCOPED_TRACE(name + (volume ? " 3-D" : " 2-D"));
      const int64_t repeats = (volume ? 250 : 750) / static_cast<int64_t>(all.size()) + 1;
      for (int64_t repeat = 0; repeat < repeats; ++repeat, ++draws) {
        Study after = before;
        Random random = stream(static_cast<uint64_t>(1000 * draws + repeat));
        step->apply_to(after.scene, random);
        const Check mask = mask_against_image(after, name);
        ASSERT_EQ(mask.wrong, 0) << repeat;

        const int64_t dims = volume ? 3 : 2;
        const Tensor middle = after.scene.others[2].values.contiguous();
        const auto* place = middle.const_data_ptr<float>();
        bool inside = true;
        for (int64_t axis = 0; axis < dims; ++axis)
          inside &= place[axis] > 1.5 &&
                    place[axis] < static_cast<float>(after.scene.grid.size[size_t(axis)]) - 1.5;
        if (inside) {
          const auto source = at_place(after.scene, place, volume);
          for (size_t axis = 0; axis < static_cast<size_t>(dims);
               ++axis)  // antialiasing bends a ramp
            ASSERT_NEAR(source[axis], before.lesion.middle[axis], 0.05) << repeat << " " << axis;
        }

        // The box of the mask, where the lesion is whole.
        const Tensor lesion = after.scene.others[0].values.eq(1);
        const Tensor box = after.scene.others[1].values;
        if (box.size(0) == 0) {
          EXPECT_EQ(lesion.sum().item<int64_t>(), 0);
          continue;
        }
        const Tensor voxels = lesion.nonzero();  // slices first
        if (voxels.size(0) == 0 || box[0][2 * dims].item<float>() < 0) continue;
        for (int64_t axis = 0; axis < dims; ++axis) {
          const Tensor along = voxels.select(1, dims - 1 - axis);
          // A voxel reaches half a step from its centre, and a lesion's rim runs between centres.
          // (two of 1.4 voxels each where an affine enlarges).
          const double slack = name == "elastic" ? 1.5 : name == "affine" ? 1.4 : 1.01;
          EXPECT_NEAR(box[0][axis].item<double>(), along.min().item<double>(), slack) << repeat;
          EXPECT_NEAR(box[0][dims + axis].item<double>(), along.max().item<double>() + 1, slack)
              << repeat;
        }
      }
    }
  }
  EXPECT_GE(draws, 1000);
}

TEST(Spatial, ABoxThatIsCutAwayForTheMostPartIsIgnoredAndOneWithoutAnythingLeftIsGone) {
  const auto boxes_after = [](float left, float right) {
    Scene scene{.image = torch::zeros({1, 20, 20}), .grid = {}, .others = {}};
    scene.others = {{"box", Layout::boxes, torch::tensor({{left, 8.f, right, 12.f, 2.f}})}};
    Random random = stream();
    crop({.size = {20, 10}})->apply_to(scene, random);  // columns 5 to 15
    return scene.others[0].values;
  };
  EXPECT_TRUE(boxes_after(6, 14).equal(torch::tensor({{1.f, 8.f, 9.f, 12.f, 2.f}})));
  EXPECT_TRUE(boxes_after(1, 8).equal(torch::tensor({{0.f, 8.f, 3.f, 12.f, 2.f}})));   // 3 of 7
  EXPECT_TRUE(boxes_after(1, 6).equal(torch::tensor({{0.f, 8.f, 1.f, 12.f, -1.f}})));  // 1 of 5
  EXPECT_EQ(boxes_after(0, 5).size(0), 0);
}

TEST(Spatial, AnImageAsTargetGoesAsTheImage) {
  const Tensor image = noisy({1, 30, 30});
  for (const TransformPtr& step :
       {resize({.size = {21}}), rotate({.degrees = {40}}), elastic({}), crop({.size = {16}})}) {
    Scene scene{.image = image, .grid = {}, .others = {{"clean", Layout::image, image}}};
    Random random = stream(3);
    step->apply_to(scene, random);
    EXPECT_TRUE(scene.others[0].values.equal(scene.image));
  }
}

TEST(Spatial, AMaskOfAnotherSizeIsRefusedByName) {
  Scene scene{.image = torch::zeros({1, 20, 20}), .grid = {}, .others = {}};
  scene.others = {{"lesion", Layout::mask, torch::zeros({20, 21}, torch::kUInt8)}};
  Random random = stream();
  try {
    flip({.probability = 1})->apply_to(scene, random);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'lesion' is [20, 21]"));
  }
}

// Columns 0.5 mm and rows 0.7 mm apart, slices 3 mm, turned by 90 degrees in the plane: a column runs
// along +y, a row along -x.
TEST(Grid, OfATransformedVolumeHasItsCornersWhereTheyWere) {
  const Grid scanner{
      {12, 10, 6}, affine_of({0, 1, 0}, {-1, 0, 0}, 0.5, 0.7, {0, 0, 3}, {100, -50, 20}), true};
  struct Case {
    TransformPtr step;
    std::array<int64_t, 3> size;
    // Of the first and the last voxel, in voxels of the scanner's grid, by hand.
    Point first, last;
  };
  const std::vector<Case> cases = {
      // Two to one: 0.5, 2.5, … 10.5 of twelve columns; rows 0.5 … 8.5 of ten; slices stay.
      {resize({.size = {5, 6}}), {6, 5, 6}, {0.5, 0.5, 0}, {10.5, 8.5, 5}},
      // The middle 4 x 6 x 2: two slices, three rows and three columns are left before it.
      {crop({.size = {2, 4, 6}}), {6, 4, 2}, {3, 3, 2}, {8, 6, 3}},
      {pad({.size = {8, 10, 16}}), {16, 10, 8}, {-2, 0, -1}, {13, 9, 6}},
      {flip({.axis = "width", .probability = 1}), {12, 10, 6}, {11, 0, 0}, {0, 9, 5}},
      {flip({.axis = "depth", .probability = 1}), {12, 10, 6}, {0, 0, 5}, {11, 9, 0}},
      // A quarter turn counter-clockwise about the middle (5.5, 4.5): the corner at the upper left
      // shows what lay at the upper right, 4.5 voxels to the right of and 5.5 above the middle.
      {rotate({.degrees = {90, 90}}), {12, 10, 6}, {10, -1, 0}, {1, 10, 5}},
  };
  for (const Case& one : cases) {
    Scene scene{.image = torch::zeros({1, 6, 10, 12}), .grid = scanner, .others = {}};
    Random random = stream();
    one.step->apply_to(scene, random);
    ASSERT_EQ(scene.grid.size, one.size);
    const Point last{double(one.size[0] - 1), double(one.size[1] - 1), double(one.size[2] - 1)};
    const Point first_mm = scene.grid.affine({0, 0, 0}), last_mm = scene.grid.affine(last);
    const auto by_hand = [](const Point& voxel) -> Point {
      return {100 - 0.7 * voxel[1], -50 + 0.5 * voxel[0], 20 + 3 * voxel[2]};
    };
    for (size_t axis = 0; axis < 3; ++axis) {
      EXPECT_NEAR(first_mm[axis], by_hand(one.first)[axis], 1e-6);
      EXPECT_NEAR(last_mm[axis], by_hand(one.last)[axis], 1e-6);
    }
  }
}

}  // namespace
}  // namespace fovea::transforms
