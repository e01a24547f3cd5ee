#include "phantom/radiograph.h"

#include <numbers>

namespace fovea::phantom {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr int64_t kStructures = 4;  // lesions and decoys together, in every radiograph

double distance_to(const Segment& s, Point at) {
  const double dx = s.to.x - s.from.x;
  const double dy = s.to.y - s.from.y;
  const double t =
      std::clamp(((at.x - s.from.x) * dx + (at.y - s.from.y) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
  return std::hypot(at.x - s.from.x - t * dx, at.y - s.from.y - t * dy);
}

// Drawn into a layer of their own with the maximum, or the joints would shine.
void draw_segments(Canvas& layer, const std::vector<Segment>& segments) {
  for (const Segment& s : segments) {
    const Point middle{(s.from.x + s.to.x) / 2, (s.from.y + s.to.y) / 2};
    const double reach = std::hypot(s.to.x - s.from.x, s.to.y - s.from.y) / 2 + 2.5 * s.width;
    layer.paint(middle, reach, [&](float value, Point at) {
      const double r = distance_to(s, at) / s.width;
      return std::max<double>(value, s.contrast * std::exp(-r * r));
    });
  }
}

// A streak, a plate with a sharp edge, or a haze: the same light as a lesion of `radius` and
// `contrast`, in another shape.
void draw_decoy(Canvas& canvas, Point centre, double radius, double contrast, Random& random) {
  const double angle = random.uniform(0, kPi);
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  const double shape = random.uniform();
  if (shape < 0.5) {  // scar: long and thin; exp(-u²-v²) covers π·length·width
    const double length = radius * random.uniform(2.4, 3.6);
    const double width = radius * radius / length;
    const double bend = random.uniform(-0.4, 0.4) / length;
    canvas.paint(centre, 2.5 * length, [&](float value, Point at) {
      const double u = c * (at.x - centre.x) + s * (at.y - centre.y);
      const double v = c * (at.y - centre.y) - s * (at.x - centre.x) - bend * u * u;
      return value + contrast * std::exp(-u * u / (length * length) - v * v / (width * width));
    });
  } else if (shape < 0.7) {  // haze: wide and faint
    const double width = radius * random.uniform(2.2, 3.2);
    const double peak = contrast * radius * radius / (width * width);
    canvas.paint(centre, 2.5 * width, [&](float value, Point at) {
      const double r = std::hypot(at.x - centre.x, at.y - centre.y) / width;
      return value + peak * std::exp(-r * r);
    });
  } else {  // two fissures side by side
    const double length = radius * random.uniform(1.4, 2.2);
    const double width = 0.2 * radius;
    const double gap = random.uniform(1.1, 1.7) * radius;
    const double peak = contrast * radius * radius / (2 * length * width) * 0.9;
    canvas.paint(centre, 2.5 * length + gap, [&](float value, Point at) {
      const double u = (c * (at.x - centre.x) + s * (at.y - centre.y)) / length;
      const double v = c * (at.y - centre.y) - s * (at.x - centre.x);
      const double near = (std::abs(v) - gap / 2) / width;
      return value + std::min(peak, 1.6 * contrast) * std::exp(-u * u - near * near);
    });
  }
}

// Electrodes and their wires: brighter than any lesion, with hard edges, at either label.
void draw_leads(Canvas& canvas, Random& random) {
  const int64_t count = random.below(4);
  for (int64_t i = 0; i < count; ++i) {
    const Point at{random.uniform(-0.7, 0.7), random.uniform(-0.6, 0.5)};
    const double radius = random.uniform(0.025, 0.04);
    canvas.paint(at, 2 * radius, [&](float value, Point p) {
      return value + 0.3 * edge(radius - std::hypot(p.x - at.x, p.y - at.y), 0.003);
    });
    Canvas layer(canvas.size, canvas.pose);
    std::vector<Segment> wire;
    double heading = std::atan2(0.9 - at.y, at.x < 0 ? -0.5 : 0.5);
    Point from = at;
    for (int piece = 0; piece < 14; ++piece) {
      const Point to{from.x + 0.09 * std::cos(heading), from.y + 0.09 * std::sin(heading)};
      wire.push_back({from, to, 0.008, 0.18});
      heading += random.uniform(-0.2, 0.2);
      from = to;
    }
    draw_segments(layer, wire);
    for (size_t p = 0; p < canvas.values.size(); ++p) canvas.values[p] += layer.values[p];
  }
}

void draw_lesion(Canvas& canvas, const Lesion& lesion, Radiograph& radiograph) {
  canvas.paint(lesion.centre, 2.4 * lesion.radius,
               [&](float value, Point at) { return value + lesion.contrast * lesion.density(at); });
  Canvas inside(canvas.size, canvas.pose);
  inside.paint(lesion.centre, 2 * lesion.radius,
               [&](float, Point at) { return lesion.distance(at) <= 1 ? 1.0 : 0.0; });
  int64_t top = canvas.size, bottom = -1, left = canvas.size, right = -1;
  for (int64_t row = 0; row < canvas.size; ++row)
    for (int64_t column = 0; column < canvas.size; ++column) {
      const auto pixel = static_cast<size_t>(row * canvas.size + column);
      if (inside.values[pixel] == 0) continue;
      radiograph.mask[pixel] = 255;
      top = std::min(top, row);
      bottom = std::max(bottom, row);
      left = std::min(left, column);
      right = std::max(right, column);
    }
  if (bottom >= 0)
    radiograph.found.push_back(
        {left, top, right - left + 1, bottom - top + 1, lesion.type, lesion.contrast});
}

// Scattered light: smooth over the radiograph, so waves of less than three periods.
void add_scatter(Canvas& canvas, Random& random) {
  for (int wave = 0; wave < 5; ++wave) {
    const double fx = random.uniform(-1.5, 1.5) * kPi;
    const double fy = random.uniform(-1.5, 1.5) * kPi;
    const double phase = random.uniform(0, 2 * kPi);
    const double strength = random.uniform(0.005, 0.02);
    canvas.everywhere([&](float value, Point at) {
      return value + strength * std::cos(fx * at.x + fy * at.y + phase);
    });
  }
}

// Exposure and quantum noise: the fewer photons arrive (dense tissue), the more of it.
void develop(Canvas& canvas, Random& random) {
  const double gain = random.uniform(0.82, 1.12);
  const double offset = random.uniform(0.02, 0.1);
  const double gamma = random.uniform(0.85, 1.2);
  const double noise = random.uniform(0.012, 0.03);
  for (float& value : canvas.values) {
    const double density = std::clamp<double>(value, 0, 1.2);
    const double signal = offset + gain * std::pow(density, gamma);
    value = static_cast<float>(
        std::clamp(signal + noise * (0.6 + 0.8 * density) * random.normal(), 0.0, 1.0));
  }
}

}  // namespace

Radiograph expose(const Anatomy& anatomy, int64_t size, double contrast, Random& random) {
  const Pose pose{random.uniform(-0.1, 0.1),
                  random.uniform(0.9, 1.08),
                  {random.uniform(-0.07, 0.07), random.uniform(-0.05, 0.07)}};
  Canvas canvas(size, pose);
  Radiograph radiograph;
  radiograph.mask.assign(canvas.values.size(), 0);

  Canvas vessels(size, pose);
  draw_segments(vessels, anatomy.vessels);
  canvas.everywhere([&](float, Point at) { return anatomy.density(at); });
  for (size_t p = 0; p < canvas.values.size(); ++p) canvas.values[p] += vessels.values[p];

  for (Lesion lesion : anatomy.lesions) {
    lesion.radius *= random.uniform(0.9, 1.15);
    lesion.contrast *= random.uniform(0.8, 1.2);
    draw_lesion(canvas, lesion, radiograph);
  }
  for (auto i = static_cast<int64_t>(anatomy.lesions.size()); i < kStructures; ++i) {
    const double radius = random.uniform(0.07, 0.15);
    const double light = contrast * random.uniform(0.7, 1.3) * std::sqrt(0.1 / radius);
    draw_decoy(canvas, place_in_lungs(anatomy, random), radius, light, random);
  }
  draw_leads(canvas, random);
  add_scatter(canvas, random);
  develop(canvas, random);
  radiograph.pixels = std::move(canvas.values);
  return radiograph;
}

}  // namespace fovea::phantom
