#include "fovea/transforms/intensity/intensity.h"

#include <cmath>
#include <numeric>

#include "fovea/transforms/intensity/scaling.h"
#include "transforms/images.h"

namespace fovea::transforms {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

double mean(const std::vector<float>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / v.size();
}

double deviation(const std::vector<float>& v) {
  const double middle = mean(v);
  double squares = 0;
  for (const float x : v) squares += (x - middle) * (x - middle);
  return std::sqrt(squares / static_cast<double>(v.size()));
}

TEST(Brightness, ShiftsEveryPixelAlikeWithinItsShareOfTheRange) {
  const torch::Tensor image = counted({1, 1, 5});  // range 4
  double farthest = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    const auto found = values(applied(brightness({.amount = 0.5}), image, i));
    for (size_t p = 1; p < 5; ++p) EXPECT_NEAR(found[p] - found[0], p, 1e-5);
    EXPECT_LE(std::abs(found[0]), 2);
    farthest = std::max(farthest, std::abs(static_cast<double>(found[0])));
  }
  EXPECT_GT(farthest, 1.8);  // missed by 200 uniform draws with probability 0.9^200 < 1e-9
}

TEST(Contrast, KeepsTheMeanAndScalesTheDeviationWithinItsAmount) {
  const torch::Tensor image = noisy({1, 8, 8});
  const auto before = values(image);
  double least = 9, most = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    const auto after = values(applied(contrast({.amount = 0.4}), image, i));
    EXPECT_NEAR(mean(after), mean(before), 1e-3);
    const double factor = deviation(after) / deviation(before);
    least = std::min(least, factor);
    most = std::max(most, factor);
  }
  EXPECT_GE(least, 0.6 - 1e-5);
  EXPECT_LE(most, 1.4 + 1e-5);
  EXPECT_LT(least, 0.65);
  EXPECT_GT(most, 1.35);
}

TEST(Gamma, KeepsTheExtremesAndIsOnePowerForAllPixels) {
  const torch::Tensor image = counted({1, 1, 5});
  for (uint64_t i = 0; i < 20; ++i) {
    const auto found = values(applied(gamma({.amount = 1}), image, i));
    EXPECT_FLOAT_EQ(found[0], 0);
    EXPECT_FLOAT_EQ(found[4], 4);
    const double exponent = std::log(found[2] / 4) / std::log(0.5);
    EXPECT_GE(exponent, 0.5 - 1e-5);
    EXPECT_LE(exponent, 2 + 1e-5);
    EXPECT_NEAR(found[1], 4 * std::pow(0.25, exponent), 1e-5);
  }
}

TEST(Noise, HasTheMomentsOfANormalDistribution) {
  // Half of the pixels 0 and half 200: a deviation of 100.
  torch::Tensor image = torch::zeros({1, 256, 256});
  image.narrow(1, 0, 128).fill_(200);
  const auto found = values(applied(noise({.std = 0.5}), image) - image);
  const double std = deviation(found);
  EXPECT_GT(std, 0);
  EXPECT_LE(std, 50 * 1.02);
  // 65,536 draws: standard errors 1/256 of the deviation, sqrt(6/n) and sqrt(24/n) of the moments.
  EXPECT_NEAR(mean(found) / std, 0, 5.0 / 256);
  double third = 0, fourth = 0, neighbours = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    third += std::pow(found[i] / std, 3) / found.size();
    fourth += std::pow(found[i] / std, 4) / found.size();
    if (i > 0) neighbours += found[i] * found[i - 1] / (std * std * found.size());
  }
  EXPECT_NEAR(third, 0, 0.05);
  EXPECT_NEAR(fourth, 3, 0.1);
  EXPECT_NEAR(neighbours, 0, 5.0 / 256);
}

TEST(Blur, KeepsAConstantAndSpreadsAPointAsAGaussian) {
  const torch::Tensor flat = torch::full({1, 9, 9}, 3.f);
  EXPECT_LT(largest_difference(applied(blur({.sigma = {2, 2}, .probability = 1}), flat), flat),
            1e-4);
  torch::Tensor point = torch::zeros({1, 21, 21});
  point.index_put_({0, 10, 10}, 1);
  const torch::Tensor found = applied(blur({.sigma = {1.5, 1.5}, .probability = 1}), point);
  const auto at = [&](int64_t x) { return found.index({0, 10, 10 + x}).item<double>(); };
  for (const int64_t x : {1, 2, 3})
    EXPECT_NEAR(at(x) / at(0), std::exp(-0.5 * x * x / (1.5 * 1.5)), 1e-3);
}

TEST(Cutout, CoversBoxesOfItsShareAndNothingElse) {
  const torch::Tensor image = counted({2, 8, 12}, torch::kFloat32) + 1;
  for (uint64_t i = 0; i < 20; ++i) {
    const torch::Tensor found =
        applied(cutout({.size = 0.25, .fill = -1, .probability = 1}), image, i);
    const torch::Tensor covered = found == -1;
    EXPECT_EQ(covered.sum().item<int64_t>(), 2 * 2 * 3);
    EXPECT_TRUE(torch::where(covered, image, found).equal(image));
    // A box: as many rows and columns as its sides.
    EXPECT_EQ(covered[0].any(1).sum().item<int64_t>(), 2);
    EXPECT_EQ(covered[0].any(0).sum().item<int64_t>(), 3);
  }
}

TEST(Clahe, StretchesAFlatImageAndKeepsItsRange) {
  // Values bunched around 100 within a range fixed by two extreme pixels.
  torch::Tensor image = 100 + noisy({1, 64, 64}) / 25.5;
  image.index_put_({0, 0, 0}, 0);
  image.index_put_({0, 63, 63}, 255);
  const torch::Tensor found = applied(clahe({.clip = 4, .tiles = 4}), image);
  EXPECT_GE(found.min().item<float>(), -1e-3);
  EXPECT_LE(found.max().item<float>(), 255 + 1e-3);
  EXPECT_GT(deviation(values(found)), 2 * deviation(values(image)));
}

TEST(Scale, ZScoreGivesMeanZeroAndDeviationOne) {
  const auto found = values(applied(scale({}), 1e5 + noisy({1, 33, 33})));
  EXPECT_NEAR(mean(found), 0, 1e-4);
  EXPECT_NEAR(deviation(found), 1, 1e-4);
  EXPECT_THAT(values(applied(scale({}), torch::full({1, 2, 2}, 7.f))), ElementsAre(0, 0, 0, 0));
}

TEST(Scale, RangeIsTheImagesOwnOrTheOneGiven) {
  const torch::Tensor image = counted({1, 1, 5});
  EXPECT_THAT(values(applied(scale({.mode = "range"}), image)), ElementsAre(0, .25f, .5f, .75f, 1));
  EXPECT_THAT(values(applied(scale({.range = {1, 3}}), image)), ElementsAre(0, 0, .5f, 1, 1));
  EXPECT_THAT(values(applied(scale({.range = {1, 3}, .clip = false}), image)),
              ElementsAre(-.5f, 0, .5f, 1, 1.5f));
}

TEST(Scale, PercentilesLieBetweenOrderStatisticsAsInNumpy) {
  // numpy.percentile([0, 1, 2, 3, 4], [10, 90]) = [0.4, 3.6]
  const std::vector<float> wanted = {0, 0.6f / 3.2f, 0.5, 2.6f / 3.2f, 1};
  EXPECT_THAT(
      values(applied(scale({.mode = "percentiles", .percentiles = {10, 90}}), counted({1, 1, 5}))),
      Pointwise(FloatNear(1e-6), wanted));
}

// 3 of 1000 pixels: numpy.percentile(…, [1, 99]) = [0, 0].
TEST(Scale, PercentilesThatAreEqualFallBackOnTheRange) {
  torch::Tensor image = torch::zeros({1, 10, 100});
  image[0][5].slice(0, 7, 10).copy_(torch::tensor({10.f, 20.f, 40.f}));
  const torch::Tensor found = applied(scale({.mode = "percentiles"}), image);
  EXPECT_THAT(values(found[0][5].slice(0, 6, 11)), ElementsAre(0, 0.25f, 0.5f, 1, 0));
  EXPECT_EQ(
      applied(scale({.mode = "percentiles"}), torch::full({1, 2, 2}, 7.f)).max().item<float>(), 0);
}

TEST(Pipeline, ValuesThatAreNotFiniteAfterTheTransformsAreRefused) {
  TransformChoice narrow;
  narrow.set("normalize", NormalizeOptions{.mean = {0}, .std = {1e-38}});
  Example example;
  example.inputs["image"] = torch::full({1, 2, 2}, 1e6f);
  Random random = stream();
  EXPECT_THROW(pipeline({narrow})(example, random), Error);
}

TEST(Window, MapsItsEdgesToZeroAndOne) {
  const torch::Tensor hu = torch::tensor({-500.f, -160.f, 40.f, 240.f, 900.f}).reshape({1, 1, 5});
  EXPECT_THAT(values(applied(window({.center = 40, .width = 400}), hu)),
              ElementsAre(0, 0, 0.5f, 1, 1));
}

TEST(Clip, CutsBothEnds) {
  EXPECT_THAT(values(applied(clip({.range = {1, 3}}), counted({1, 1, 5}))),
              ElementsAre(1, 1, 2, 3, 3));
  EXPECT_THROW(clip({.range = {3, 1}}), Error);
}

TEST(Normalize, WorksChannelByChannel) {
  const torch::Tensor image = torch::tensor({1.f, 2.f, 3.f, 4.f}).reshape({2, 1, 2});
  EXPECT_THAT(values(applied(normalize({.mean = {1, 3}, .std = {1, 2}}), image)),
              ElementsAre(0, 1, 0, .5f));
  EXPECT_THROW(applied(normalize({.mean = {1, 2, 3}}), image), Error);
}

TEST(Channels, RepeatGreyAsItIsAndWeighColour) {
  const torch::Tensor three = applied(channels({}), counted({1, 1, 2}));
  EXPECT_EQ(three.scalar_type(), torch::kUInt8);
  EXPECT_THAT(values(three), ElementsAre(0, 1, 0, 1, 0, 1));
  const torch::Tensor rgb = torch::tensor({100.f, 10.f, 1.f}).reshape({3, 1, 1});
  EXPECT_THAT(values(applied(channels({.count = 1}), rgb)),
              ElementsAre(FloatNear(29.9 + 5.87 + 0.114, 1e-4)));
  EXPECT_THROW(applied(channels({}), torch::zeros({2, 1, 1})), Error);
}

TEST(ImageNet, GivesThreeNormalizedChannels) {
  const torch::Tensor found = applied(imagenet({.range = {0, 4}}), counted({1, 1, 5}));
  ASSERT_EQ(found.sizes(), (std::vector<int64_t>{3, 1, 5}));
  EXPECT_NEAR(found.index({0, 0, 2}).item<double>(), (0.5 - 0.485) / 0.229, 1e-5);
  EXPECT_NEAR(found.index({1, 0, 4}).item<double>(), (1 - 0.456) / 0.224, 1e-5);
  EXPECT_NEAR(found.index({2, 0, 0}).item<double>(), (0 - 0.406) / 0.225, 1e-5);
}

}  // namespace
}  // namespace fovea::transforms
