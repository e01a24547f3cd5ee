#include "fovea/transforms/warps.h"

#include <cmath>
#include <numbers>

#include "transforms/picture.h"
#include "transforms/taps.h"

namespace fovea::transforms {

namespace {

io::Sampling sampling(const Outside& outside) {
  return {.interpolation = io::Interpolation::bilinear,
          .border = outside.border == "edge"      ? io::Border::edge
                    : outside.border == "reflect" ? io::Border::reflect
                                                  : io::Border::constant,
          .outside = static_cast<float>(outside.fill)};
}

/// Where the content goes, in pixels about the centre of the picture, y down.
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

torch::Tensor moved(torch::Tensor picture, const Motion& motion, const Outside& outside) {
  const Sides s = sides(picture);
  const torch::Tensor source = floats(std::move(picture));
  torch::Tensor result = torch::empty(source.sizes(), torch::kFloat32);
  io::warp_affine(planes(source, s), planes(result, s), inverse(motion, s), sampling(outside));
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
  return made(options.probability, [options](torch::Tensor picture, Random& random) {
    return moved(std::move(picture), {.radians = radians(draw(options.degrees, random))},
                 options.outside);
  });
}

TransformPtr affine(const AffineOptions& options) {
  check_count("degrees", options.degrees, 1, 2);
  check_count("translate", options.translate, 1, 2);
  check_count("scale", options.scale, 1, 2);
  check_count("shear", options.shear, 1, 2);
  return made(options.probability, [options](torch::Tensor picture, Random& random) {
    const Sides s = sides(picture);
    Motion motion;
    motion.radians = radians(draw(options.degrees, random));
    motion.scale = random.uniform(options.scale.front(), options.scale.back());
    motion.shear = std::tan(radians(draw(options.shear, random)));
    motion.right = draw(options.translate, random) * static_cast<double>(s.width);
    motion.down = draw(options.translate, random) * static_cast<double>(s.height);
    return moved(std::move(picture), motion, options.outside);
  });
}

TransformPtr elastic(const ElasticOptions& options) {
  return made(options.probability, [options](torch::Tensor picture, Random& random) {
    const Sides s = sides(picture);
    const torch::Tensor source = floats(std::move(picture));
    const auto right = smooth_noise(s.height, s.width, options.sigma, options.alpha, random);
    const auto down = smooth_noise(s.height, s.width, options.sigma, options.alpha, random);
    torch::Tensor result = torch::empty(source.sizes(), torch::kFloat32);
    io::warp_displaced(planes(source, s), planes(result, s), right.data(), down.data(),
                       sampling(options.outside));
    return result;
  });
}

}  // namespace fovea::transforms
