// What one synthetic patient looks like inside; every radiograph of the patient shows the same.
#pragma once

#include <string_view>

#include "fovea/core/random.h"
#include "phantom/canvas.h"

namespace fovea::phantom {

/// A straight piece of a vessel or of a lead's wire.
struct Segment {
  Point from, to;
  double width = 0;  ///< half of it
  double contrast = 0;
};

enum class LesionType { solid, ring, spiculated };
std::string_view name_of(LesionType type);

struct Lesion {
  LesionType type = LesionType::solid;
  Point centre;
  double radius = 0;
  double contrast = 0;  ///< added density at its brightest
  double stretch = 1;   ///< long axis over short axis
  double angle = 0;     ///< of the long axis
  int64_t spikes = 0;
  double softness = 0;  ///< of its edge, as a part of the radius

  /// Density in 0 … 1 at `at`, and how far out it lies: 1 on the edge.
  double density(Point at) const;
  double distance(Point at) const;
};

struct Anatomy {
  double lung_x, lung_y, lung_width, lung_height, dome[2], dome_bend;
  double heart_x, heart_y, heart_width, heart_height;
  double tissue, lung_depth, tilt_x, tilt_y;
  double rib_top, rib_step, rib_width, rib_contrast, rib_bend;
  double spine_width, spine_contrast, vertebra;
  double clavicle_angle, clavicle_y;
  std::vector<Segment> vessels;
  std::vector<Lesion> lesions;

  double lung(Point at) const;  ///< 1 in the air of the lungs, 0 outside
  double density(Point at) const;
};

/// `contrast` scales that of the lesions; a patient without lesions has none at all.
Anatomy draw_anatomy(Random& random, bool with_lesions, double contrast);

/// A place in the lungs, clear of heart and edges.
Point place_in_lungs(const Anatomy& anatomy, Random& random);

}  // namespace fovea::phantom
