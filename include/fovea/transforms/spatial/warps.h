// Transforms that bend the image: rotate, affine, elastic. Each is one bilinear warp to float32,
// in the plane: all slices of a volume move alike.
#pragma once

#include <optional>

#include "fovea/transforms/transform.h"

namespace fovea::transforms {

/// What lies outside of the image. Its edge goes on, unless asked otherwise: corners of a constant
/// look like anatomy to a network, and shift the statistics of a later `scale`.
struct Outside {
  std::string border = "edge";
  std::optional<double> fill = {};

  void describe(Fields& f) {
    f("border", border, "how the outside of the image is filled")
        .one_of({"constant", "edge", "reflect"});
    f("fill", fill,
      "value outside, where border is constant; null: the image's minimum (air in a CT)");
  }
};

struct RotateOptions {
  std::vector<double> degrees = {10};
  double probability = 1;
  Outside outside = {};

  void describe(Fields& f) {
    f("degrees", degrees, "largest angle in either direction, or [min, max], counter-clockwise");
    f("probability", probability, "of rotating").between(0, 1);
    outside.describe(f);
  }
};
TransformPtr rotate(const RotateOptions& options);

/// About the centre: scaling, then shear along the width, then rotation, then translation; with an
/// angle of the other sign, torchvision's affine.
struct AffineOptions {
  std::vector<double> degrees = {10};
  std::vector<double> translate = {0.05};
  std::vector<double> scale = {0.9, 1.1};
  std::vector<double> shear = {0};
  double probability = 1;
  Outside outside = {};

  void describe(Fields& f) {
    f("degrees", degrees, "largest angle in either direction, or [min, max], counter-clockwise");
    f("translate", translate, "fraction of each side in either direction, or [min, max]")
        .between(-1, 1);
    f("scale", scale, "[min, max], or one fixed number").above(0);
    f("shear", shear, "degrees in either direction, or [min, max]").between(-80, 80);
    f("probability", probability, "of applying the transform").between(0, 1);
    outside.describe(f);
  }
};
TransformPtr affine(const AffineOptions& options);

/// Simard et al., "Best practices for convolutional neural networks", ICDAR 2003: every pixel comes
/// from a little beside itself. The shifts are white noise smoothed by a cubic B-spline whose
/// standard deviation is `sigma`.
struct ElasticOptions {
  double alpha = 3;
  double sigma = 12;
  double probability = 1;
  Outside outside = {};

  void describe(Fields& f) {
    f("alpha", alpha, "standard deviation of the displacements, in pixels").at_least(0);
    f("sigma", sigma, "how far neighbours move together, in pixels").at_least(1);
    f("probability", probability, "of applying the transform").between(0, 1);
    outside.describe(f);
  }
};
TransformPtr elastic(const ElasticOptions& options);

}  // namespace fovea::transforms
