#include "fovea/transforms/spatial/warps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "transforms/image_values.h"
#include "transforms/spatial/taps.h"

namespace fovea::transforms {

namespace {

io::Sampling sampling(const Outside& outside, const torch::Tensor& image) {
  io::Sampling how{.interpolation = io::Interpolation::bilinear, .border = io::Border::constant};
  if (outside.border == "edge") how.border = io::Border::edge;
  if (outside.border == "reflect") how.border = io::Border::reflect;
  if (how.border == io::Border::constant)
    how.outside = static_cast<float>(outside.fill ? *outside.fill : background(image));
  return how;
}

/// Where the content goes, in pixels about the centre of the image, y down.
struct Motion {
  double radians = 0;  // counter-clockwise as seen
  double scale = 1;
  double shear = 0;  // tangent
  double right = 0, down = 0;
};

io::InverseMap inverse(const Motion& m, const Sides& s) {
  // Forward: [cos sin; -sin cos] · [1 -shear; 0 1] · scale; its determinant is scale².
  const double cosine = std::cos(m.radians);
  const double sine = std::sin(m.radians);
  const double a = cosine * m.scale, b = (sine - cosine * m.shear) * m.scale;
  const double c = -sine * m.scale, d = (cosine + sine * m.shear) * m.scale;
  const double det = a * d - b * c;
  const double x = static_cast<double>(s.width - 1) / 2;
  const double y = static_cast<double>(s.height - 1) / 2;
  io::InverseMap map = {d / det, -b / det, 0, -c / det, a / det, 0};
  map[2] = x - map[0] * (x + m.right) - map[1] * (y + m.down);
  map[5] = y - map[3] * (x + m.right) - map[4] * (y + m.down);
  return map;
}

/// The x from begin to end - 1 for which 0 < slope · x + start < limit, with a hair's breadth to
/// spare.
struct Interval {
  int64_t begin = 0, end = 0;

  void keep(double slope, double start, double limit) {
    constexpr double kHair = 1e-3;
    const double low = kHair - start;
    const double high = limit - kHair - start;
    if (std::abs(slope) < 1e-9) {
      if (low > 0 || high < 0) end = begin;
      return;
    }
    const double least = std::ceil((slope > 0 ? low : high) / slope);
    const double most = std::floor((slope > 0 ? high : low) / slope);
    begin = static_cast<int64_t>(std::clamp<double>(least, begin, end));
    end = static_cast<int64_t>(std::clamp<double>(most + 1, begin, end));
  }
};

// io::warp_affine asks of every pixel whether its four neighbours are inside. In a row they are for
// one interval, known beforehand: a third of the time. The ends of the row are left to it.
void warp_row(const io::ConstPlanes& from, float* to, int64_t width, int64_t y,
              const io::InverseMap& map, const io::Sampling& sampling) {
  const double x_start = map[1] * static_cast<double>(y) + map[2];
  const double y_start = map[4] * static_cast<double>(y) + map[5];
  Interval inner{0, width};
  inner.keep(map[0], x_start, static_cast<double>(from.width - 1));
  inner.keep(map[3], y_start, static_cast<double>(from.height - 1));
  const auto end_of_row = [&](int64_t begin, int64_t end) {
    if (begin == end) return;
    io::InverseMap shifted = map;
    shifted[2] = map[0] * static_cast<double>(begin) + x_start;
    shifted[5] = map[3] * static_cast<double>(begin) + y_start;
    io::warp_affine(from, {to + begin, 1, 1, end - begin}, shifted, sampling);
  };
  end_of_row(0, inner.begin);
  const auto dx = static_cast<float>(map[0]);
  const auto dy = static_cast<float>(map[3]);
  const auto x0 = static_cast<float>(x_start + map[0] * static_cast<double>(inner.begin));
  const auto y0 = static_cast<float>(y_start + map[3] * static_cast<double>(inner.begin));
  const auto stride = static_cast<int32_t>(from.width);
  const auto count = static_cast<int32_t>(inner.end - inner.begin);
  float* out = to + inner.begin;
  for (int32_t i = 0; i < count; ++i) {
    const float x = x0 + dx * static_cast<float>(i);
    const float y = y0 + dy * static_cast<float>(i);
    const auto left = static_cast<int32_t>(x);  // not negative: cutting is rounding down
    const auto top = static_cast<int32_t>(y);
    const float u = x - static_cast<float>(left);
    const float v = y - static_cast<float>(top);
    const float* at = from.values + static_cast<int64_t>(top) * stride + left;
    const float upper = at[0] + u * (at[1] - at[0]);
    const float lower = at[stride] + u * (at[stride + 1] - at[stride]);
    out[i] = upper + v * (lower - upper);
  }
  end_of_row(inner.end, width);
}

Warp::Outside outside_of(const Outside& outside) {
  return outside.border == "edge"      ? Warp::Outside::edge
         : outside.border == "reflect" ? Warp::Outside::reflect
                                       : Warp::Outside::ignored;
}

/// In the plane: all slices alike.
Warp warp_of(const Motion& motion, const Sides& s, const Outside& outside) {
  Warp warp{.size = extent(s), .map = {}, .outside = outside_of(outside)};
  const io::InverseMap map = inverse(motion, s);
  warp.map.rows[0] = {map[0], map[1], 0, map[2]};
  warp.map.rows[1] = {map[3], map[4], 0, map[5]};
  return warp;
}

torch::Tensor moved(torch::Tensor image, const Warp& warp, const Outside& outside) {
  const Sides s = sides(image);
  const torch::Tensor source = floats(std::move(image));
  torch::Tensor result = torch::empty(source.sizes(), torch::kFloat32);
  const auto& [x, y, z] = warp.map.rows;
  const io::InverseMap map = {x[0], x[1], x[3], y[0], y[1], y[3]};
  const io::Sampling how = sampling(outside, source);
  for (int64_t plane = 0; plane < s.channels * s.depth; ++plane) {
    const int64_t offset = plane * s.height * s.width;
    const io::ConstPlanes from{source.const_data_ptr<float>() + offset, 1, s.height, s.width};
    float* to = result.mutable_data_ptr<float>() + offset;
    for (int64_t row = 0; row < s.height; ++row)
      warp_row(from, to + row * s.width, s.width, row, map, how);
  }
  return result;
}

double radians(double degrees) { return degrees * std::numbers::pi / 180; }

/// White noise on a grid, smoothed by a B-spline: standard deviation `deviation` on average.
std::vector<float> smooth_noise(int64_t height, int64_t width, double sigma, double deviation,
                                Random& random) {
  // A cubic B-spline of spacing h has a standard deviation of h / sqrt(3); the sum of its squared
  // weights is 151/315 on average.
  const double spacing = sigma * std::numbers::sqrt3;
  const Taps rows = spline_taps(height, spacing);
  const Taps columns = spline_taps(width, spacing);
  std::vector<float> knots(rows.from * columns.from);
  for (float& knot : knots) knot = static_cast<float>(deviation * 315.0 / 151 * random.normal());
  std::vector<float> wide(rows.from * width);
  resample(knots.data(), wide.data(), rows.from, columns, 1);
  std::vector<float> field(height * width);
  resample(wide.data(), field.data(), 1, rows, width);
  return field;
}

}  // namespace

TransformPtr rotate(const RotateOptions& options) {
  check_count("degrees", options.degrees, 1, 2);
  const auto draw_warp = [options](const Sides& s, Random& random) -> std::optional<Warp> {
    if (options.probability < 1 && !random.chance(options.probability)) return {};
    return warp_of({.radians = radians(draw(options.degrees, random))}, s, options.outside);
  };
  return moving(draw_warp, [outside = options.outside](torch::Tensor image, const Warp& warp) {
    return moved(std::move(image), warp, outside);
  });
}

TransformPtr affine(const AffineOptions& options) {
  check_count("degrees", options.degrees, 1, 2);
  check_count("translate", options.translate, 1, 2);
  check_count("scale", options.scale, 1, 2);
  check_count("shear", options.shear, 1, 2);
  const auto draw_warp = [options](const Sides& s, Random& random) -> std::optional<Warp> {
    if (options.probability < 1 && !random.chance(options.probability)) return {};
    Motion motion;
    motion.radians = radians(draw(options.degrees, random));
    motion.scale = random.uniform(options.scale.front(), options.scale.back());
    motion.shear = std::tan(radians(draw(options.shear, random)));
    motion.right = draw(options.translate, random) * static_cast<double>(s.width);
    motion.down = draw(options.translate, random) * static_cast<double>(s.height);
    return warp_of(motion, s, options.outside);
  };
  return moving(draw_warp, [outside = options.outside](torch::Tensor image, const Warp& warp) {
    return moved(std::move(image), warp, outside);
  });
}

TransformPtr elastic(const ElasticOptions& options) {
  const auto draw_warp = [options](const Sides& s, Random& random) -> std::optional<Warp> {
    if (options.probability < 1 && !random.chance(options.probability)) return {};
    Warp warp{.size = extent(s), .map = {}, .outside = outside_of(options.outside)};
    warp.right = smooth_noise(s.height, s.width, options.sigma, options.alpha, random);
    warp.down = smooth_noise(s.height, s.width, options.sigma, options.alpha, random);
    return warp;
  };
  return moving(draw_warp, [options](torch::Tensor image, const Warp& warp) {
    const Sides s = sides(image);
    const torch::Tensor source = floats(std::move(image));
    torch::Tensor result = torch::empty(source.sizes(), torch::kFloat32);
    io::warp_displaced(planes(source, s), planes(result, s), warp.right.data(), warp.down.data(),
                       sampling(options.outside, source));
    return result;
  });
}

}  // namespace fovea::transforms
