#include "fovea/io/resample.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>

#include "io/opencv.h"

namespace fovea::io {
namespace {

cv::Mat plane(const float* values, int64_t height, int64_t width) {
  return {static_cast<int>(height), static_cast<int>(width), CV_32F, const_cast<float*>(values)};
}
cv::Mat plane(ConstPlanes planes, int64_t channel) {
  return plane(planes.values + channel * planes.height * planes.width, planes.height, planes.width);
}

// Where coordinate i of a line of n pixels is read, -1 for outside.
int64_t inside(int64_t i, int64_t n, Border border) {
  if (i >= 0 && i < n) return i;
  if (border == Border::constant) return -1;
  if (border == Border::edge || n == 1) return std::clamp<int64_t>(i, 0, n - 1);
  const int64_t period = 2 * (n - 1);
  i = std::abs(i) % period;
  return i < n ? i : period - i;
}

// Coordinates further away than this are all alike outside; keeps the conversion to whole numbers
// defined.
float bounded(double coordinate) {
  return std::isfinite(coordinate) ? static_cast<float>(std::clamp(coordinate, -1e6, 1e6)) : -1e6f;
}

class Sampler {
 public:
  Sampler(ConstPlanes from, const Sampling& sampling)
      : from_(from), sampling_(sampling), plane_(from.height * from.width) {}

  // Writes channel c of the sample at (x, y) to out[c * stride].
  void read(double x, double y, float* out, int64_t stride) const {
    if (sampling_.interpolation == Interpolation::nearest) {
      return nearest(std::floor(bounded(x) + 0.5f), std::floor(bounded(y) + 0.5f), out, stride);
    }
    const float bx = bounded(x), by = bounded(y);
    const float left = std::floor(bx), top = std::floor(by);
    const float u = bx - left, v = by - top;
    const auto x0 = static_cast<int64_t>(left), y0 = static_cast<int64_t>(top);
    if (x0 >= 0 && y0 >= 0 && x0 + 1 < from_.width && y0 + 1 < from_.height) {
      const float* at = from_.values + y0 * from_.width + x0;
      for (int64_t c = 0; c < from_.channels; ++c, at += plane_) {
        const float upper = at[0] + u * (at[1] - at[0]);
        const float lower = at[from_.width] + u * (at[from_.width + 1] - at[from_.width]);
        out[c * stride] = upper + v * (lower - upper);
      }
      return;
    }
    for (int64_t c = 0; c < from_.channels; ++c) {
      const float upper = pixel(c, y0, x0) * (1 - u) + pixel(c, y0, x0 + 1) * u;
      const float lower = pixel(c, y0 + 1, x0) * (1 - u) + pixel(c, y0 + 1, x0 + 1) * u;
      out[c * stride] = upper * (1 - v) + lower * v;
    }
  }

 private:
  float pixel(int64_t c, int64_t y, int64_t x) const {
    y = inside(y, from_.height, sampling_.border);
    x = inside(x, from_.width, sampling_.border);
    return x < 0 || y < 0 ? sampling_.outside : from_.values[c * plane_ + y * from_.width + x];
  }
  void nearest(float x, float y, float* out, int64_t stride) const {
    for (int64_t c = 0; c < from_.channels; ++c) {
      out[c * stride] = pixel(c, static_cast<int64_t>(y), static_cast<int64_t>(x));
    }
  }

  ConstPlanes from_;
  Sampling sampling_;
  int64_t plane_;
};

}  // namespace

void warp_affine(ConstPlanes from, Planes to, const InverseMap& map, const Sampling& sampling) {
  const Sampler sampler(from, sampling);
  const int64_t stride = to.height * to.width;
  for (int64_t y = 0; y < to.height; ++y) {
    const auto fy = static_cast<double>(y);
    for (int64_t x = 0; x < to.width; ++x) {
      const auto fx = static_cast<double>(x);
      sampler.read(map[0] * fx + map[1] * fy + map[2], map[3] * fx + map[4] * fy + map[5],
                   to.values + y * to.width + x, stride);
    }
  }
}

void warp_displaced(ConstPlanes from, Planes to, const float* dx, const float* dy,
                    const Sampling& sampling) {
  const Sampler sampler(from, sampling);
  const int64_t stride = to.height * to.width;
  for (int64_t y = 0; y < to.height; ++y) {
    for (int64_t x = 0; x < to.width; ++x) {
      const int64_t at = y * to.width + x;
      sampler.read(static_cast<double>(x) + dx[at], static_cast<double>(y) + dy[at], to.values + at,
                   stride);
    }
  }
}

void gaussian_blur(ConstPlanes from, Planes to, double sigma) {
  assert(from.channels == to.channels && from.height == to.height && from.width == to.width);
  const int radius = static_cast<int>(4 * sigma + 0.5);
  on_this_thread([&] {
    for (int64_t c = 0; c < to.channels; ++c) {
      cv::Mat target = plane(to, c);
      if (radius == 0)
        plane(from, c).copyTo(target);
      else
        cv::GaussianBlur(plane(from, c), target, {2 * radius + 1, 2 * radius + 1}, sigma, sigma,
                         cv::BORDER_REFLECT_101);
    }
  });
}

}  // namespace fovea::io
