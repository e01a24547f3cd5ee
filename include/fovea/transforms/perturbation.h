// What an image may suffer on its way to a model, at stated strengths: how much of it a model bears is a part of its
// evaluation.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "fovea/transforms/transform.h"

namespace fovea::transforms {

struct Perturbation {
  std::string_view name;          ///< "noise"
  std::string_view unit;          ///< what a strength is
  std::vector<double> strengths;  ///< rising; 0 is the image as it is
  TransformPtr (*make)(double strength);
};

/// noise     Gaussian, of so many standard deviations of the image
/// blur      Gaussian, of so many pixels
/// contrast  loses this share of it
/// rotation  by so many degrees, in either direction
/// window    as if displayed in a narrower window: this share of the pixels is clipped at either end
/// jpeg      written as JPEG of 8 bits and read again; the strength is 100 - quality
///
/// A strength is the same for all images, unlike the transforms of training, which draw theirs.
std::span<const Perturbation> perturbations();

/// A config Error that lists the names there are.
const Perturbation& perturbation(std::string_view name);

}  // namespace fovea::transforms
