// Transforms that change what a pixel says: brightness, contrast, gamma, noise, blur, cutout,
// CLAHE. All give float32. Amounts are relative to the image (its range or its standard
// deviation), so they mean the same before and after scaling, in grey levels and in HU.
#pragma once

#include "fovea/transforms/transform.h"

namespace fovea::transforms {

struct BrightnessOptions {
  double amount = 0.1;
  double probability = 1;

  void describe(Fields& f) {
    f("amount", amount, "largest shift in either direction, as a fraction of the image's range")
        .at_least(0);
    f("probability", probability, "of applying the transform").between(0, 1);
  }
};
TransformPtr brightness(const BrightnessOptions& options);

struct ContrastOptions {
  double amount = 0.2;
  double probability = 1;

  void describe(Fields& f) {
    f("amount", amount, "differences from the mean times 1 - amount to 1 + amount").between(0, 1);
    f("probability", probability, "of applying the transform").between(0, 1);
  }
};
TransformPtr contrast(const ContrastOptions& options);

struct GammaOptions {
  double amount = 0.3;
  double probability = 1;

  void describe(Fields& f) {
    f("amount", amount, "the exponent lies between 1 / (1 + amount) and 1 + amount").at_least(0);
    f("probability", probability, "of applying the transform").between(0, 1);
  }
};
/// Between the image's own smallest and largest value, which stay.
TransformPtr gamma(const GammaOptions& options);

struct NoiseOptions {
  double std = 0.1;
  double probability = 1;

  void describe(Fields& f) {
    f("std", std,
      "largest standard deviation of the noise, as a fraction of that of the image; drawn each "
      "time")
        .at_least(0);
    f("probability", probability, "of applying the transform").between(0, 1);
  }
};
/// Gaussian noise (4096 equally likely values of the normal distribution, within ±3.7).
TransformPtr noise(const NoiseOptions& options);

struct BlurOptions {
  std::vector<double> sigma = {0.1, 1.5};
  double probability = 0.5;

  void describe(Fields& f) {
    f("sigma", sigma, "of the Gaussian, in pixels: [min, max], or one number").at_least(0);
    f("probability", probability, "of applying the transform").between(0, 1);
  }
};
/// In the plane, slice by slice.
TransformPtr blur(const BlurOptions& options);

/// DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.
struct CutoutOptions {
  double size = 0.25;
  int64_t count = 1;
  std::optional<double> fill = {};
  double probability = 0.5;

  void describe(Fields& f) {
    f("size", size, "size of each box, as a fraction of each side").between(0, 1);
    f("count", count, "number of boxes; through all slices of a volume").above(0);
    f("fill", fill, "value inside the boxes; null: the image's mean");
    f("probability", probability, "of applying the transform").between(0, 1);
  }
};
TransformPtr cutout(const CutoutOptions& options);

struct ClaheOptions {
  double clip = 2;
  int64_t tiles = 8;

  void describe(Fields& f) {
    f("clip", clip, "clip limit: largest count of a grey level, as a multiple of the mean count")
        .above(0);
    f("tiles", tiles, "tiles along each side").between(1, 256);
  }
};
/// Contrast-limited adaptive histogram equalisation (Zuiderveld 1994) between the image's own
/// smallest and largest value; of 8-bit images between 0 and 255. Slice by slice.
TransformPtr clahe(const ClaheOptions& options);

}  // namespace fovea::transforms
