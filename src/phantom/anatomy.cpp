#include "phantom/anatomy.h"

#include <numbers>

namespace fovea::phantom {

namespace {

constexpr double kPi = std::numbers::pi;

double square(double x) { return x * x; }

// A tube seen from the side: bright rims, less in the marrow.
double tube(double distance, double half_width) {
  const double r = std::abs(distance) / half_width;
  if (r >= 1.3) return 0;
  return edge(1 - r, 0.08) * (0.75 + 0.35 * r * r);
}

double ribs(const Anatomy& a, Point at) {
  const double out = std::abs(at.x);
  if (out > 0.8) return 0;
  double sum = 0;
  for (int rib = 0; rib < 10; ++rib) {
    const double y = a.rib_top + rib * a.rib_step;
    const double back = y + a.rib_bend * square(out - 0.08) - 0.05 * std::exp(-out / 0.1);
    sum += tube(at.y - back, a.rib_width);
    if (out > 0.22 && rib > 1) {
      const double front = y + 0.02 + 0.75 * a.rib_bend * square(0.8 - out) + 0.3 * (0.7 - out);
      sum += 0.55 * tube(at.y - front, 1.1 * a.rib_width);
    }
  }
  return a.rib_contrast * sum * edge(0.74 - out, 0.02);
}

void grow_vessel(Anatomy& a, Random& random, Point at, double angle, double width, int generation) {
  const double side = at.x < 0 ? -1 : 1;
  const int64_t steps = 6 + random.below(5);
  for (int64_t i = 0; i < steps && width > 0.004; ++i) {
    const double length = random.uniform(0.04, 0.06);
    const Point to{at.x + side * length * std::cos(angle), at.y + length * std::sin(angle)};
    a.vessels.push_back({at, to, width, 4.5 * width + 0.02});
    if (generation < 2 && random.chance(0.3))
      grow_vessel(a, random, to, angle + (random.chance(0.5) ? 0.6 : -0.6), 0.7 * width,
                  generation + 1);
    at = to;
    angle += random.uniform(-0.25, 0.25);
    width *= 0.87;
  }
}

Lesion draw_lesion(const Anatomy& anatomy, Random& random, double contrast) {
  Lesion lesion;
  const double type = random.uniform();
  lesion.type = type < 0.55   ? LesionType::solid
                : type < 0.75 ? LesionType::ring
                              : LesionType::spiculated;
  lesion.centre = place_in_lungs(anatomy, random);
  lesion.radius = random.uniform(0.07, 0.15);
  // Small lesions are denser, as in life: neither size nor contrast gives the label away.
  lesion.contrast = contrast * random.uniform(0.7, 1.3) * std::sqrt(0.1 / lesion.radius);
  lesion.stretch = random.uniform(1, 1.35);
  lesion.angle = random.uniform(0, kPi);
  lesion.spikes = 5 + random.below(5);
  lesion.softness = random.uniform(0.12, 0.25);
  return lesion;
}

}  // namespace

std::string_view name_of(LesionType type) {
  switch (type) {
    case LesionType::ring:
      return "ring";
    case LesionType::spiculated:
      return "spiculated";
    default:
      return "solid";
  }
}

double Lesion::distance(Point at) const {
  const double x = at.x - centre.x;
  const double y = at.y - centre.y;
  const double along = (x * std::cos(angle) + y * std::sin(angle)) / std::sqrt(stretch);
  const double across = (y * std::cos(angle) - x * std::sin(angle)) * std::sqrt(stretch);
  double r = std::hypot(along, across) / radius;
  if (type == LesionType::spiculated && r > 0.3)
    r /= 1 + 0.28 * std::cos(static_cast<double>(spikes) * std::atan2(across, along));
  return r;
}

double Lesion::density(Point at) const {
  const double r = distance(at);
  const double disc = edge(1 - r, softness);
  return type == LesionType::ring ? disc * (0.25 + 0.75 * std::min(1.0, square(r) * 1.4)) : disc;
}

double Anatomy::lung(Point at) const {
  const double side = at.x < 0 ? 0 : 1;
  const double x = std::abs(at.x) - lung_x;
  const double from_top =
      std::clamp((at.y - lung_y + lung_height) / (1.2 * lung_height), 0.05, 1.0);
  const double wide = lung_width * (0.6 + 0.4 * std::sqrt(from_top));
  const double r =
      std::pow(std::abs(x) / wide, 2.4) + std::pow(std::abs(at.y - lung_y) / lung_height, 2.4);
  // Deep at the ribs, shallow at the heart.
  const double floor = dome[static_cast<int>(side)] + dome_bend * (x > 0 ? 1 : 0.3) * x * x;
  const double inside = edge(1 - r, 0.07) * edge(floor - at.y, 0.012);
  const double heart =
      square((at.x - heart_x) / heart_width) + square((at.y - heart_y) / heart_height);
  return inside * edge(heart - 1, 0.13);
}

double Anatomy::density(Point at) const {
  const double shoulder = 0.5 + 0.42 * edge(at.y + 0.75, 0.07);
  const double body =
      edge(shoulder - std::abs(at.x), 0.02) * (0.35 + 0.65 * edge(0.97 - std::abs(at.x), 0.06));
  const double air = lung(at);
  double sum = tissue + tilt_x * at.x + tilt_y * at.y - lung_depth * air;
  sum += 0.09 * std::exp(-square(square(at.x / 0.15)));
  sum += spine_contrast * std::exp(-square(at.x / spine_width)) *
         (1 + 0.25 * std::cos(2 * kPi * at.y / vertebra));
  sum += ribs(*this, at);
  const double clavicle = at.y - clavicle_y - std::tan(clavicle_angle) * (0.4 - std::abs(at.x));
  if (std::abs(at.x) > 0.06 && std::abs(at.x) < 0.75) sum += 0.1 * tube(clavicle, 0.028);
  return body * sum;
}

Point place_in_lungs(const Anatomy& anatomy, Random& random) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const Point at{random.uniform(-0.8, 0.8), random.uniform(-0.8, 0.6)};
    if (anatomy.lung(at) > 0.97) return at;
  }
  return {anatomy.lung_x, anatomy.lung_y};
}

Anatomy draw_anatomy(Random& random, bool with_lesions, double contrast) {
  Anatomy a{};
  a.lung_x = random.uniform(0.36, 0.41);
  a.lung_y = random.uniform(-0.1, 0);
  a.lung_width = random.uniform(0.29, 0.34);
  a.lung_height = random.uniform(0.6, 0.68);
  a.dome[0] = a.lung_y + a.lung_height * random.uniform(0.68, 0.8);
  a.dome[1] = a.dome[0] + random.uniform(0.02, 0.07);
  a.dome_bend = random.uniform(1.2, 2.2);
  a.heart_x = random.uniform(0.08, 0.16);
  a.heart_y = a.dome[1] - random.uniform(0.12, 0.18);
  a.heart_width = random.uniform(0.25, 0.33);
  a.heart_height = random.uniform(0.2, 0.27);
  a.tissue = random.uniform(0.58, 0.66);
  a.lung_depth = random.uniform(0.3, 0.38);
  a.tilt_x = random.uniform(-0.04, 0.04);
  a.tilt_y = random.uniform(-0.02, 0.08);
  a.rib_step = random.uniform(0.135, 0.155);
  a.rib_top = a.lung_y - a.lung_height - random.uniform(0, 0.06);
  a.rib_width = random.uniform(0.022, 0.03);
  a.rib_contrast = random.uniform(0.045, 0.08);
  a.rib_bend = random.uniform(0.45, 0.75);
  a.spine_width = random.uniform(0.06, 0.08);
  a.spine_contrast = random.uniform(0.06, 0.12);
  a.vertebra = random.uniform(0.1, 0.13);
  a.clavicle_angle = random.uniform(0.1, 0.35);
  a.clavicle_y = a.lung_y - a.lung_height + random.uniform(0.08, 0.16);
  for (const double side : {-1.0, 1.0})
    for (int i = 0; i < 8; ++i)
      grow_vessel(a, random, {side * 0.17, a.lung_y + random.uniform(0, 0.2)},
                  -1.3 + 2.5 * (i + random.uniform()) / 8, random.uniform(0.011, 0.017), 0);
  if (with_lesions) {
    const int64_t count = 1 + random.below(3);
    for (int64_t i = 0; i < count; ++i) a.lesions.push_back(draw_lesion(a, random, contrast));
  }
  return a;
}

}  // namespace fovea::phantom
