// One exposure of a synthetic patient.
#pragma once

#include "phantom/anatomy.h"

namespace fovea::phantom {

struct Finding {
  int64_t x = 0, y = 0, width = 0, height = 0;  ///< pixels, from the top left
  LesionType type = LesionType::solid;
  double contrast = 0;
};

struct Radiograph {
  std::vector<float> pixels;   ///< size x size, 0 (air) … 1 (bone): MONOCHROME2
  std::vector<uint8_t> mask;   ///< 255 inside a lesion
  std::vector<Finding> found;  ///< the lesions that the radiograph shows
};

/// The patient in a pose, exposure and noise of this radiograph's own. Beside the lesions it shows
/// structures of the same total brightness that are none; a patient without lesions has more of
/// them.
Radiograph expose(const Anatomy& anatomy, int64_t size, double contrast, Random& random);

}  // namespace fovea::phantom
