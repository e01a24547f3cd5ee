// Transforms that choose which pixels there are: resize, crop, pad, flip.
//
// A size is one number (every side), [height, width] (the slices of a volume stay), or
// [depth, height, width] (volumes only).
#pragma once

#include <optional>

#include "fovea/transforms/transform.h"

namespace fovea::transforms {

/// To float32. `bilinear` with antialias is torchvision's resize(antialias=True): each output pixel
/// weighs the input under a triangle as wide as the pixel itself; `area` weighs the area it covers.
/// Along a side that grows both are bilinear. A volume is resampled along depth, height and width
/// in turn by the same rule.
struct ResizeOptions {
  std::vector<int64_t> size = {224};
  std::string mode = "bilinear";
  bool antialias = true;
  bool keep_aspect = false;
  std::optional<double> fill = {};

  void describe(Fields& f) {
    f("size", size, "size of every side, or [height, width], or [depth, height, width]").above(0);
    f("mode", mode, "bilinear as in torchvision, or the mean over the area")
        .one_of({"bilinear", "area"});
    f("antialias", antialias, "false: bilinear looks at the nearest pixels only");
    f("keep_aspect", keep_aspect, "keep the aspect ratio and pad on both sides");
    f("fill", fill, "value of the padding; null: the image's minimum (air in a CT)");
  }
};
TransformPtr resize(const ResizeOptions& options);

struct CropOptions {
  std::vector<int64_t> size = {224};
  std::string where = "center";

  void describe(Fields& f) {
    f("size", size, "size of every side, or [height, width], or [depth, height, width]").above(0);
    f("where", where, "the centre, or a random place each time").one_of({"center", "random"});
  }
};
TransformPtr crop(const CropOptions& options);

struct PadOptions {
  std::vector<int64_t> size = {224};
  std::optional<double> fill = {};

  void describe(Fields& f) {
    f("size", size, "minimum size of every side, or [height, width], or [depth, height, width]")
        .above(0);
    f("fill", fill,
      "value of the new pixels, 0 to 255 for 8-bit images; null: the image's minimum (air in a "
      "CT)");
  }
};
/// The image stays in the middle; sides that are long enough stay as they are.
TransformPtr pad(const PadOptions& options);

struct FlipOptions {
  std::string axis = "width";
  double probability = 0.5;

  void describe(Fields& f) {
    f("axis", axis, "width: left and right are swapped").one_of({"width", "height", "depth"});
    f("probability", probability, "of flipping").between(0, 1);
  }
};
TransformPtr flip(const FlipOptions& options);

}  // namespace fovea::transforms
