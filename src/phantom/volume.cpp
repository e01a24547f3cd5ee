#include "phantom/volume.h"

#include <numbers>

namespace fovea::phantom {

namespace {

double mix(double below, double above, double share) { return below + (above - below) * share; }

double ellipse(double x, double y, double width, double depth) {
  return (1 - std::hypot(x / width, y / depth)) * std::min(width, depth);  // about mm from the rim
}

// The lung at height z: narrow at the apex, wide at the base. Positive inside, about mm.
double lung_depth_at(const Thorax& t, double x, double y, double z) {
  const double height = std::clamp((kHalfLength_mm + 10 - z) / (2 * kHalfLength_mm), 0.05, 1.0);
  const double grown = std::sqrt(height);
  return ellipse(std::abs(x) - t.lung_x, y + 5, t.lung_width * grown, t.lung_depth * grown);
}

}  // namespace

double Thorax::hounsfield(double x, double y, double z) const {
  const double skin = ellipse(x, y, width, depth);
  const double soft = mix(-100, 45, edge(skin - fat, 1.2));
  double hu = mix(-1000, soft, edge(skin, 1.0));
  const double lung = lung_depth_at(*this, x, y, z);
  const double heart = heart_radius - std::hypot(x - heart_x, y - heart_y, 1.1 * (z + 35));
  const double air = edge(lung, 1.2) * edge(-heart, 1.5);
  hu = mix(hu, -850, air);
  for (const auto& [from, to] : vessels) {
    const double t = (z - from.z) / (to.z - from.z);
    const double gap = std::hypot(x - mix(from.x, to.x, t), y - mix(from.y, to.y, t));
    const double radius = mix(from.radius, to.radius, std::clamp(t, 0.0, 1.0));
    if (gap < 3 * radius) hu = mix(hu, 40, air * edge(radius - gap, 0.7));
  }
  for (const Nodule& nodule : nodules) {
    const double gap = std::hypot(x - nodule.x, y - nodule.y, z - nodule.z);
    if (gap < 2 * nodule.radius) hu = mix(hu, 30, air * edge(nodule.radius - gap, 0.9));
  }
  // Ribs: slanted hoops just outside the lungs; the spine behind.
  const double hoop = std::abs(ellipse(x, y, width - fat - 12, depth - fat - 10));
  const double slant = z + 0.35 * std::abs(x) - 0.5 * y + rib_phase;
  const double gap = std::abs(slant / 24 - std::round(slant / 24)) * 24;
  if (hoop < 8) hu = mix(hu, 380 + 60 * hoop, edge(4 - hoop, 0.8) * edge(5 - gap, 0.8));
  const double spine = std::hypot(x, y - 0.62 * depth);
  hu = mix(hu, spine > 13 ? 600 : 250, edge(18 - spine, 1.0));
  const double aorta = std::hypot(x - 14, y - 0.3 * depth);
  return mix(hu, 55, edge(12 - aorta, 1.0));
}

Thorax draw_thorax(Random& random, bool with_lesions, double contrast) {
  Thorax t{};
  t.width = random.uniform(132, 148);
  t.depth = random.uniform(92, 108);
  t.fat = random.uniform(6, 16);
  t.lung_x = random.uniform(58, 64);
  t.lung_width = random.uniform(42, 48);
  t.lung_depth = random.uniform(62, 72);
  t.heart_x = random.uniform(10, 22);
  t.heart_y = random.uniform(-35, -20);
  t.heart_radius = random.uniform(45, 56);
  t.rib_phase = random.uniform(0, 24);
  const auto inside = [&](double margin) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const Nodule at{random.uniform(-110, 110), random.uniform(-75, 75), random.uniform(-90, 80),
                      0};
      const double heart = std::hypot(at.x - t.heart_x, at.y - t.heart_y, 1.1 * (at.z + 35));
      if (lung_depth_at(t, at.x, at.y, at.z) > margin && heart > t.heart_radius + margin) return at;
    }
    return Nodule{t.lung_x, -5, 40, 0};
  };
  for (int i = 0; i < 24; ++i) {
    Nodule from = inside(4);
    from.radius = random.uniform(1.5, 5);
    const Nodule to{from.x * random.uniform(0.6, 0.95), from.y * random.uniform(0.5, 1),
                    from.z + (random.chance(0.5) ? 1 : -1) * random.uniform(50, 110),
                    random.uniform(1.5, 5)};
    t.vessels.emplace_back(from, to);
  }
  if (with_lesions) {
    const int64_t count = 1 + random.below(3);
    for (int64_t i = 0; i < count; ++i) {
      Nodule nodule = inside(8);
      nodule.radius = contrast * random.uniform(5, 12);
      t.nodules.push_back(nodule);
    }
  }
  return t;
}

Slice scan_slice(const Thorax& thorax, int64_t size, double z_mm, Random& noise) {
  const double step = 2 * kHalfWidth_mm / static_cast<double>(size);
  Slice slice;
  slice.pixels.reserve(size * size);
  slice.mask.reserve(size * size);
  for (int64_t row = 0; row < size; ++row)
    for (int64_t column = 0; column < size; ++column) {
      const double x = (static_cast<double>(column) + 0.5) * step - kHalfWidth_mm;
      const double y = (static_cast<double>(row) + 0.5) * step - kHalfWidth_mm;
      slice.pixels.push_back(
          static_cast<float>(thorax.hounsfield(x, y, z_mm) + 18 * noise.normal()));
      const bool in = std::ranges::any_of(thorax.nodules, [&](const Nodule& n) {
        return std::hypot(x - n.x, y - n.y, z_mm - n.z) <= n.radius;
      });
      slice.mask.push_back(in ? 255 : 0);
    }
  return slice;
}

}  // namespace fovea::phantom
