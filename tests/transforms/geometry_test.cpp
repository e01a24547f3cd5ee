#include "fovea/transforms/spatial/geometry.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/transforms/spatial/warps.h"
#include "support/test_files.h"
#include "transforms/images.h"

namespace fovea::transforms {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using torch::indexing::Slice;

const nlohmann::json& torchvision() {
  static const auto all = nlohmann::json::parse(std::ifstream(test::reference("transforms.json")));
  return all;
}

torch::Tensor tensor_of(const nlohmann::json& flat) {
  return torch::tensor(flat["values"].get<std::vector<float>>())
      .reshape(flat["shape"].get<std::vector<int64_t>>());
}

std::string refusal(const TransformPtr& step, const torch::Tensor& image) {
  try {
    applied(step, image);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::config);
    return error.what();
  }
  return "it was accepted";
}

// 1e-4 of the range 255: both sum the same products in float32, in another order.
TEST(Resize, EqualsTorchvisionWithAndWithoutAntialiasing) {
  for (const auto& example : torchvision()["resize"]) {
    const torch::Tensor wanted = tensor_of(example["to"]);
    ResizeOptions options{.size = {wanted.size(1), wanted.size(2)}};
    options.antialias = example["antialias"].get<bool>();
    const torch::Tensor found = applied(resize(options), tensor_of(example["from"]));
    ASSERT_EQ(found.sizes(), wanted.sizes());
    EXPECT_LT(largest_difference(found, wanted), 0.0255) << example["from"]["shape"];
  }
}

TEST(Resize, VolumesGrowAsTorchsTrilinearInterpolation) {
  for (const auto& example : torchvision()["volumes"]) {
    const torch::Tensor wanted = tensor_of(example["to"]);
    const torch::Tensor found =
        applied(resize({.size = wanted.sizes().slice(1).vec()}), tensor_of(example["from"]));
    ASSERT_EQ(found.sizes(), wanted.sizes());
    EXPECT_LT(largest_difference(found, wanted), 0.0255);
  }
}

TEST(Resize, AreaIsTheMeanOfWhatAPixelCovers) {
  // 1 x 3 -> 1 x 2: each output covers one and a half inputs.
  const torch::Tensor row = torch::tensor({0.f, 3.f, 9.f}).reshape({1, 1, 3});
  const auto halves = values(applied(resize({.size = {1, 2}, .mode = "area"}), row));
  EXPECT_THAT(halves, ElementsAre(testing::FloatEq((0 + 0.5f * 3) / 1.5f),
                                  testing::FloatEq((0.5f * 3 + 9) / 1.5f)));
  const torch::Tensor volume = counted({1, 2, 2, 2});
  EXPECT_THAT(values(applied(resize({.size = {1}, .mode = "area"}), volume)), ElementsAre(3.5f));
}

TEST(Resize, EightBitsAndFloatsOfTheSameValuesGiveTheSame) {
  const torch::Tensor image = counted({1, 12, 20});
  const auto step = resize({.size = {5, 9}});
  EXPECT_TRUE(applied(step, image).equal(applied(step, image.to(torch::kFloat32))));
}

TEST(Resize, TwoNumbersLeaveTheSlicesOfAVolumeAlone) {
  const torch::Tensor volume = noisy({1, 3, 8, 8});
  const auto step = resize({.size = {4, 6}});
  const torch::Tensor found = applied(step, volume);
  ASSERT_EQ(found.sizes(), (std::vector<int64_t>{1, 3, 4, 6}));
  for (int64_t z = 0; z < 3; ++z)
    EXPECT_TRUE(found.index({Slice(), z}).equal(applied(step, volume.index({Slice(), z}))));
}

TEST(Resize, KeepingTheAspectFillsTheRest) {
  const torch::Tensor wide = torch::full({1, 4, 8}, 7.f);
  const torch::Tensor found =
      applied(resize({.size = {4, 4}, .keep_aspect = true, .fill = -1}), wide);
  EXPECT_TRUE(found.index({0, 0}).equal(torch::full({4}, -1.f)));
  EXPECT_TRUE(found.index({0, Slice(1, 3)}).allclose(torch::full({2, 4}, 7.f)));
  EXPECT_TRUE(found.index({0, 3}).equal(torch::full({4}, -1.f)));
}

// -1000 is air, 0 would be water.
TEST(Pad, TheBarsAreTheImagesLeastValueUnlessAFillIsGiven) {
  const torch::Tensor ct = torch::tensor({-1000.f, 40.f, 300.f, -990.f}).reshape({1, 2, 2});
  EXPECT_THAT(values(applied(pad({.size = {2, 4}}), ct)),
              ElementsAre(-1000, -1000, 40, -1000, -1000, 300, -990, -1000));
  EXPECT_THAT(values(applied(pad({.size = {2, 4}, .fill = 0}), ct)),
              ElementsAre(0, -1000, 40, 0, 0, 300, -990, 0));
  const torch::Tensor wide = torch::tensor({-1000.f, -1000.f, 40.f, 40.f}).reshape({1, 1, 4});
  const torch::Tensor found = applied(resize({.size = {4, 4}, .keep_aspect = true}), wide);
  EXPECT_EQ(found[0][0].min().item<float>(), -1000.f);
  EXPECT_EQ(found[0][3].max().item<float>(), -1000.f);
}

TEST(Crop, TakesTheMiddleAndKeepsEightBits) {
  const torch::Tensor found = applied(crop({.size = {2}}), counted({1, 4, 4}));
  EXPECT_EQ(found.scalar_type(), torch::kUInt8);
  EXPECT_THAT(values(found), ElementsAre(5, 6, 9, 10));
}

TEST(Crop, ARandomOneReachesEveryPlace) {
  const auto step = crop({.size = {1}, .where = "random"});
  std::set<float> seen;
  for (uint64_t i = 0; i < 200; ++i) seen.insert(values(applied(step, counted({1, 3, 3}), i))[0]);
  EXPECT_EQ(seen.size(), 9u);  // one of nine is missed with probability 9 · (8/9)^200 < 1e-9
}

TEST(Crop, AVolumeIsCroppedInDepthToo) {
  const torch::Tensor found = applied(crop({.size = {1, 2, 1}}), counted({1, 3, 4, 3}));
  // slice 1 (12 to 23), rows 1 and 2, column 1
  EXPECT_THAT(values(found), ElementsAre(12 + 4, 12 + 7));
}

TEST(Crop, AnImageThatIsTooSmallIsRefused) {
  EXPECT_THAT(refusal(crop({.size = {5}}), counted({1, 4, 4})), HasSubstr("resize or pad first"));
}

TEST(Pad, PutsTheImageInTheMiddle) {
  const torch::Tensor found = applied(pad({.size = {1, 4}, .fill = 9}), counted({1, 2, 2}));
  EXPECT_EQ(found.scalar_type(), torch::kUInt8);
  EXPECT_THAT(values(found), ElementsAre(9, 0, 1, 9, 9, 2, 3, 9));
  EXPECT_THAT(refusal(pad({.size = {9}, .fill = -1}), counted({1, 2, 2})), HasSubstr("0 to 255"));
}

TEST(Flip, MirrorsTheAxisAskedFor) {
  const torch::Tensor volume = counted({1, 2, 2, 2});
  const auto flipped = [&](const std::string& axis) {
    return values(applied(flip({.axis = axis, .probability = 1}), volume));
  };
  EXPECT_THAT(flipped("width"), ElementsAre(1, 0, 3, 2, 5, 4, 7, 6));
  EXPECT_THAT(flipped("height"), ElementsAre(2, 3, 0, 1, 6, 7, 4, 5));
  EXPECT_THAT(flipped("depth"), ElementsAre(4, 5, 6, 7, 0, 1, 2, 3));
  EXPECT_THAT(refusal(flip({.axis = "depth"}), counted({1, 2, 2})), HasSubstr("volumes"));
}

TEST(Flip, HappensAsOftenAsItsProbabilitySays) {
  const auto step = flip({.probability = 0.25});
  int flips = 0;
  for (uint64_t i = 0; i < 4000; ++i) flips += values(applied(step, counted({1, 1, 2}), i))[0] == 1;
  EXPECT_NEAR(flips, 1000, 5 * 27.4);  // five standard deviations of the binomial
}

const Outside kZeros{.border = "constant", .fill = 0.};  // as torchvision fills

// Inside, both interpolate between four neighbours; on the rim torchvision's zeros and ours agree
// too. 1e-3 of the range allows for coordinates in float32 there and fixed point here.
TEST(Rotate, EqualsTorchvision) {
  for (const auto& example : torchvision()["rotate"]) {
    const double degrees = example["degrees"];
    const torch::Tensor found = applied(rotate({.degrees = {degrees, degrees}, .outside = kZeros}),
                                        tensor_of(example["from"]));
    EXPECT_LT(largest_difference(found, tensor_of(example["to"])), 0.255) << degrees;
  }
}

// 224 pixels wide and every border: the interior of a row is warped apart from its ends.
TEST(Rotate, RowsHaveNoSeams) {
  const int64_t side = 224;
  const torch::Tensor x = torch::arange(side).to(torch::kFloat32).expand({1, side, side});
  const torch::Tensor image = (x + 2 * x.transpose(1, 2)).contiguous();
  for (const double degrees : {0.0, 7.0, 90.0, -61.0, 180.0}) {
    RotateOptions options{.degrees = {degrees, degrees}};
    options.outside = {.border = "constant", .fill = -1.};
    const torch::Tensor found = applied(rotate(options), image);
    const double radians = degrees * 3.14159265358979 / 180;
    const double middle = (side - 1) / 2.0;
    for (int64_t row = 0; row < side; row += 3)
      for (int64_t column = 0; column < side; ++column) {
        const double u = column - middle, v = row - middle;
        const double from_x = std::cos(radians) * u - std::sin(radians) * v + middle;
        const double from_y = std::sin(radians) * u + std::cos(radians) * v + middle;
        const float value = found.const_data_ptr<float>()[row * side + column];
        const double rim = std::min({from_x, from_y, side - 1 - from_x, side - 1 - from_y});
        if (rim >= 0) {
          ASSERT_NEAR(value, from_x + 2 * from_y, 2e-3) << degrees << " " << row << " " << column;
        } else if (rim < -1) {
          ASSERT_EQ(value, -1) << degrees << " " << row << " " << column;
        }
      }
  }
}

TEST(Rotate, AQuarterTurnMovesPixelsExactly) {
  // 0 1 2      2 5 8
  // 3 4 5  ->  1 4 7   counter-clockwise
  // 6 7 8      0 3 6
  const torch::Tensor found = applied(rotate({.degrees = {90, 90}}), counted({1, 3, 3}));
  const std::vector<float> wanted = {2, 5, 8, 1, 4, 7, 0, 3, 6};
  EXPECT_THAT(values(found), testing::Pointwise(testing::FloatNear(1e-4), wanted));
}

TEST(Affine, EqualsTorchvision) {
  for (const auto& example : torchvision()["affine"]) {
    const double degrees = example["degrees"];
    const double scale = example["scale"];
    const double shear = example["shear"];
    const torch::Tensor source = tensor_of(example["from"]);
    // One range serves both directions, so the sides are moved one at a time: translation is checked
    // by a second warp of the result of the first, by whole pixels, which interpolates nothing.
    AffineOptions options{.degrees = {degrees, degrees},
                          .translate = {0, 0},
                          .scale = {scale, scale},
                          .shear = {shear, shear},
                          .outside = kZeros};
    torch::Tensor found = applied(affine(options), source);
    const int64_t right = example["translate"][0];
    const int64_t down = example["translate"][1];
    const torch::Tensor wanted = tensor_of(example["to"]);
    const auto part = [](int64_t shift, int64_t length) {
      return shift >= 0 ? Slice(shift, length) : Slice(0, length + shift);
    };
    const torch::Tensor there =
        wanted.index({Slice(), part(down, wanted.size(1)), part(right, wanted.size(2))});
    const torch::Tensor here =
        found.index({Slice(), part(-down, wanted.size(1)), part(-right, wanted.size(2))});
    EXPECT_LT(largest_difference(here, there), 0.255) << example["degrees"];
  }
}

TEST(Affine, TranslationMovesByShareOfTheSide) {
  const torch::Tensor found =
      applied(affine({.degrees = {0}, .translate = {0.25, 0.25}, .scale = {1}, .outside = kZeros}),
              counted({1, 4, 4}));
  const std::vector<float> wanted = {0, 0, 0, 0, 0, 0, 1, 2, 0, 4, 5, 6, 0, 8, 9, 10};
  EXPECT_THAT(values(found), testing::Pointwise(testing::FloatNear(1e-4), wanted));
}

TEST(Elastic, ShiftsHaveTheStandardDeviationAskedFor) {
  // On the image f(x, y) = x the result minus x is the shift itself.
  const int64_t side = 256;
  const torch::Tensor ramp =
      torch::arange(side).to(torch::kFloat32).expand({1, side, side}).contiguous();
  double squares = 0;
  const int repeats = 20;
  for (uint64_t i = 0; i < repeats; ++i) {
    const torch::Tensor moved = applied(elastic({.alpha = 3, .sigma = 8}), ramp, i);
    const torch::Tensor shift =
        (moved - ramp).index({0, Slice(20, side - 20), Slice(20, side - 20)});
    squares += shift.square().mean().item<double>() / repeats;
  }
  EXPECT_NEAR(std::sqrt(squares), 3, 0.3);  // 20 · (216 / 28)² ≈ 1200 independent shifts: 2 %
}

TEST(Elastic, WithoutAlphaNothingMoves) {
  const torch::Tensor image = noisy({1, 20, 20});
  EXPECT_LT(largest_difference(applied(elastic({.alpha = 0}), image), image), 1e-4);
}

TEST(Warps, AllSlicesOfAVolumeMoveAlike) {
  const torch::Tensor slice = noisy({1, 1, 16, 16});
  const torch::Tensor volume = slice.expand({1, 3, 16, 16}).contiguous();
  for (const auto& step : {rotate({}), affine({}), elastic({})}) {
    const torch::Tensor found = applied(step, volume);
    EXPECT_TRUE(found.index({Slice(), 0}).equal(found.index({Slice(), 2})));
    EXPECT_TRUE(found.index({Slice(), 0}).equal(applied(step, slice.squeeze(1))));
  }
}

TEST(Warps, WhatLiesOutsideIsFilledAsAsked) {
  const torch::Tensor image = torch::full({1, 9, 9}, 5.f);
  RotateOptions options{.degrees = {45, 45}};
  options.outside = {.border = "constant", .fill = -7.};
  EXPECT_FLOAT_EQ(applied(rotate(options), image).index({0, 0, 0}).item<float>(), -7);
  options.outside.fill = {};  // of a CT that is air, not water
  torch::Tensor ct = torch::full({1, 9, 9}, 40.f);
  ct[0][4][4] = -1000;
  EXPECT_FLOAT_EQ(applied(rotate(options), ct).index({0, 0, 0}).item<float>(), -1000);
  options.outside.border = "edge";
  EXPECT_FLOAT_EQ(applied(rotate(options), image).index({0, 0, 0}).item<float>(), 5);
}

}  // namespace
}  // namespace fovea::transforms
