// An image and what lives in its space: they are transformed together.
#pragma once

#include <string>
#include <vector>

#include "fovea/data/schema.h"
#include "fovea/image/grid.h"

namespace fovea::transforms {

/// Of a mask: a sample that counts nowhere, because it lies outside of what was annotated. Masks of
/// other types than uint8 have -1 there.
inline constexpr uint8_t kIgnored = 255;

/// What lies in the space of an image, as Example::targets has it (`Layout`).
struct Companion {
  std::string name;
  Layout layout = Layout::none;
  torch::Tensor values;
};

struct Scene {
  torch::Tensor image;  ///< [C, H, W] or [C, D, H, W], uint8 or float32
  Grid grid;            ///< of the image as it is now
  std::vector<Companion> others;
};

}  // namespace fovea::transforms
