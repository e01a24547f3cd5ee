// A synthetic thorax in Hounsfield units, slice by slice.
#pragma once

#include "phantom/anatomy.h"
#include "phantom/radiograph.h"

namespace fovea::phantom {

/// Half the width of the field of view in x and y, and half the length of the scan, mm.
constexpr double kHalfWidth_mm = 160;
constexpr double kHalfLength_mm = 120;

struct Nodule {
  double x, y, z, radius;  ///< mm from the middle of the scan; y to the back, z to the head
};

struct Thorax {
  double width, depth, fat, lung_x, lung_width, lung_depth, heart_x, heart_y, heart_radius,
      rib_phase;
  std::vector<Nodule> nodules;
  /// Vessels run through many slices; in each they look like a nodule.
  std::vector<std::pair<Nodule, Nodule>> vessels;

  double hounsfield(double x, double y, double z) const;
};

Thorax draw_thorax(Random& random, bool with_lesions, double contrast);

struct Slice {
  std::vector<float> pixels;  ///< size x size, HU
  std::vector<uint8_t> mask;  ///< 255 inside a nodule
};
Slice scan_slice(const Thorax& thorax, int64_t size, double z_mm, Random& noise);

}  // namespace fovea::phantom
