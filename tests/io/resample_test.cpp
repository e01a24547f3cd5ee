#include "fovea/io/resample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <opencv2/imgproc.hpp>
#include <random>
#include <thread>
#include <vector>

namespace fovea::io {
namespace {

// Samples [channels, height, width] with a view on them.
struct FloatImage {
  FloatImage(int64_t channels, int64_t height, int64_t width)
      : samples(static_cast<size_t>(channels * height * width)),
        channels(channels),
        height(height),
        width(width) {}
  static FloatImage noise(int64_t channels, int64_t height, int64_t width) {
    FloatImage image(channels, height, width);
    std::minstd_rand random(7);
    for (float& v : image.samples) v = static_cast<float>(random() % 1000) / 1000;
    return image;
  }
  Planes view() { return {samples.data(), channels, height, width}; }
  float at(int64_t c, int64_t y, int64_t x) const {
    return samples[static_cast<size_t>((c * height + y) * width + x)];
  }

  std::vector<float> samples;
  int64_t channels, height, width;
};

int64_t reflected(int64_t i, int64_t n) {
  while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
  return i;
}

double sample(const FloatImage& from, int64_t c, int64_t y, int64_t x, Border border,
              double outside) {
  const bool inside = x >= 0 && y >= 0 && x < from.width && y < from.height;
  if (border == Border::constant && !inside) return outside;
  if (border == Border::edge) {
    return from.at(c, std::clamp<int64_t>(y, 0, from.height - 1),
                   std::clamp<int64_t>(x, 0, from.width - 1));
  }
  return from.at(c, reflected(y, from.height), reflected(x, from.width));
}

// Bilinear interpolation as a sum over all four neighbours, in double.
double bilinear(const FloatImage& from, int64_t c, double y, double x, Border border,
                double outside = 0) {
  double sum = 0;
  for (const auto dy : {0, 1}) {
    for (const auto dx : {0, 1}) {
      const double row = std::floor(y) + dy, column = std::floor(x) + dx;
      sum +=
          (1 - std::abs(y - row)) * (1 - std::abs(x - column)) *
          sample(from, c, static_cast<int64_t>(row), static_cast<int64_t>(column), border, outside);
    }
  }
  return sum;
}

TEST(Resample, AWarpFollowsItsFormulaWithEveryBorder) {
  FloatImage from = FloatImage::noise(2, 11, 14);
  const InverseMap map{0.9, 0.4, -2.3, -0.5, 1.2, 1.7};
  for (const Border border : {Border::constant, Border::edge, Border::reflect}) {
    FloatImage to(2, 15, 12);
    warp_affine(from.view(), to.view(), map, {Interpolation::bilinear, border, 0.25f});
    for (int64_t c = 0; c < 2; ++c) {
      for (int64_t y = 0; y < 15; ++y) {
        for (int64_t x = 0; x < 12; ++x) {
          const double fx = map[0] * x + map[1] * y + map[2], fy = map[3] * x + map[4] * y + map[5];
          ASSERT_NEAR(to.at(c, y, x), bilinear(from, c, fy, fx, border, 0.25), 2e-5)
              << y << " " << x;
        }
      }
    }
  }
}

TEST(Resample, AQuarterTurnAndAFlipMovePixelsExactly) {
  FloatImage from = FloatImage::noise(1, 6, 6), to(1, 6, 6);
  for (const Interpolation how : {Interpolation::bilinear, Interpolation::nearest}) {
    warp_affine(from.view(), to.view(), {0, 1, 0, -1, 0, 5}, {how});  // from (y, 5 - x)
    for (int64_t y = 0; y < 6; ++y) {
      for (int64_t x = 0; x < 6; ++x) ASSERT_EQ(to.at(0, y, x), from.at(0, 5 - x, y));
    }
    warp_affine(from.view(), to.view(), {-1, 0, 5, 0, 1, 0}, {how});
    for (int64_t y = 0; y < 6; ++y) {
      for (int64_t x = 0; x < 6; ++x) ASSERT_EQ(to.at(0, y, x), from.at(0, y, 5 - x));
    }
  }
}

TEST(Resample, NearestTakesWholePixels) {
  FloatImage from = FloatImage::noise(1, 5, 5), to(1, 5, 5);
  warp_affine(from.view(), to.view(), {1, 0, 0.4, 0, 1, -0.4},
              {Interpolation::nearest, Border::constant, -1});
  EXPECT_EQ(to.samples, from.samples);
  warp_affine(from.view(), to.view(), {1, 0, 0.6, 0, 1, 0},
              {Interpolation::nearest, Border::constant, -1});
  EXPECT_EQ(to.at(0, 2, 1), from.at(0, 2, 2));
  EXPECT_EQ(to.at(0, 2, 4), -1);
}

TEST(Resample, ADisplacementMovesEachPixelByItsOwn) {
  FloatImage from = FloatImage::noise(2, 9, 8), to(2, 9, 8);
  FloatImage dx = FloatImage::noise(1, 9, 8), dy = FloatImage::noise(1, 9, 8);
  for (float& v : dx.samples) v = 6 * v - 3;
  for (float& v : dy.samples) v = 3 - 6 * v;
  warp_displaced(from.view(), to.view(), dx.samples.data(), dy.samples.data(),
                 {Interpolation::bilinear, Border::reflect, 0});
  for (int64_t c = 0; c < 2; ++c) {
    for (int64_t y = 0; y < 9; ++y) {
      for (int64_t x = 0; x < 8; ++x) {
        ASSERT_NEAR(to.at(c, y, x),
                    bilinear(from, c, y + dy.at(0, y, x), x + dx.at(0, y, x), Border::reflect),
                    1e-5);
      }
    }
  }
}

TEST(Resample, CoordinatesThatAreNotFiniteLieOutside) {
  FloatImage from = FloatImage::noise(1, 4, 4), to(1, 4, 4);
  for (const double bad : {std::nan(""), 1e300, -1e300, HUGE_VAL}) {
    for (const Interpolation how : {Interpolation::bilinear, Interpolation::nearest}) {
      warp_affine(from.view(), to.view(), {1, 0, bad, 0, 1, 0}, {how, Border::constant, 0.5f});
      EXPECT_EQ(to.samples, std::vector<float>(16, 0.5f));
      warp_affine(from.view(), to.view(), {1, 0, bad, 0, 1, 0}, {how, Border::reflect, 0});
    }
  }
}

TEST(Resample, AGaussianBlurIsTheSumOverItsKernel) {
  FloatImage from = FloatImage::noise(1, 10, 12);
  for (const double sigma : {0.7, 1.5, 4.0}) {  // the last kernel is wider than the image
    FloatImage to(1, 10, 12);
    gaussian_blur(from.view(), to.view(), sigma);
    const int radius = static_cast<int>(4 * sigma + 0.5);
    for (int64_t y = 0; y < 10; ++y) {
      for (int64_t x = 0; x < 12; ++x) {
        double sum = 0, weights = 0;
        for (int j = -radius; j <= radius; ++j) {
          for (int i = -radius; i <= radius; ++i) {
            const double weight = std::exp(-(i * i + j * j) / (2 * sigma * sigma));
            weights += weight;
            sum += weight * from.at(0, reflected(y + j, 10), reflected(x + i, 12));
          }
        }
        ASSERT_NEAR(to.at(0, y, x), sum / weights, 1e-5);
      }
    }
  }
  FloatImage same(1, 10, 12);
  gaussian_blur(from.view(), same.view(), 0);
  EXPECT_EQ(same.samples, from.samples);
}

TEST(Clahe, OnEightBitsItDoesWhatOpencvDoes) {
  cv::Mat grey(64, 48, CV_8U);
  std::minstd_rand random(3);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 48; ++x)
      grey.at<uchar>(y, x) = static_cast<uchar>(80 + y + x / 2 + random() % 20);
  }
  FloatImage from(1, 64, 48), to(1, 64, 48);
  for (size_t i = 0; i < from.samples.size(); ++i)
    from.samples[i] = static_cast<float>(grey.data[i]) / 255;
  for (const double limit : {1.0, 2.0, 40.0}) {
    for (const int tiles : {1, 4, 8}) {
      cv::Mat wanted;
      cv::createCLAHE(limit, {tiles, tiles})->apply(grey, wanted);
      clahe(from.view(), to.view(), limit, tiles);
      // OpenCV rounds each curve and each result to 8 bits, half a step each.
      for (size_t i = 0; i < to.samples.size(); ++i)
        ASSERT_NEAR(to.samples[i] * 255, wanted.data[i], 1.01);
    }
  }
}

TEST(Clahe, StepsFinerThanEightBitsSurviveAndSidesNeedNotDivide) {
  FloatImage from(1, 37, 29), to(1, 37, 29);
  for (size_t i = 0; i < from.samples.size(); ++i)
    from.samples[i] = 0.5f + 1e-4f * static_cast<float>(i % 29);
  clahe(from.view(), to.view(), 40, 1);
  for (int64_t x = 1; x < 29; ++x) EXPECT_GE(to.at(0, 5, x), to.at(0, 5, x - 1));
  EXPECT_GT(to.at(0, 5, 3), to.at(0, 5, 2));
  from.samples = {std::nanf(""), 7, -3};
  from.height = 1;
  from.width = 3;
  FloatImage three(1, 1, 3);
  clahe(from.view(), three.view(), 2, 8);  // more tiles than pixels
  for (const float v : three.samples) EXPECT_TRUE(v >= 0 && v <= 1);
}

TEST(Resample, ManyThreadsGetTheResultOfOne) {
  FloatImage from = FloatImage::noise(3, 40, 40), alone(3, 40, 40);
  gaussian_blur(from.view(), alone.view(), 1.5);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        FloatImage to(3, 40, 40);
        gaussian_blur(from.view(), to.view(), 1.5);
        EXPECT_EQ(to.samples, alone.samples);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace fovea::io
