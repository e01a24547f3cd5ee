// Transforms that bring intensities and channels to what a model expects: scale, clip, window,
// normalize, channels, imagenet. Nothing here is random; all but `channels` give float32.
#pragma once

#include "fovea/transforms/transform.h"

namespace fovea::transforms {

struct ScaleOptions {
  std::string mode = "zscore";
  std::vector<double> range = {};
  std::vector<double> percentiles = {1, 99};
  bool clip = true;

  void describe(Fields& f) {
    f("mode", mode,
      "zscore: mean 0 and standard deviation 1; range: minimum and maximum become 0 and 1; "
      "percentiles: they become 0 and 1, and where they are equal, as range")
        .one_of({"zscore", "range", "percentiles"});
    f("range", range, "[low, high] become 0 and 1, the same for all images; implies mode range");
    f("percentiles", percentiles, "[low, high] for mode percentiles").between(0, 100);
    f("clip", clip, "range and percentiles: clip to 0 and 1");
  }
};
/// Over all pixels and channels of one image. An image of one value becomes all 0.
TransformPtr scale(const ScaleOptions& options);

struct ClipOptions {
  std::vector<double> range = {0, 1};

  void describe(Fields& f) { f("range", range, "[low, high]: values outside are set to these"); }
};
TransformPtr clip(const ClipOptions& options);

/// A display window: centre - width / 2 becomes 0, centre + width / 2 becomes 1, cut beyond.
struct WindowOptions {
  double center = 40;
  double width = 400;

  void describe(Fields& f) {
    f("center", center, "centre of the window (HU in CT)");
    f("width", width, "width of the window").above(0);
  }
};
TransformPtr window(const WindowOptions& options);

/// (value - mean) / std, channel by channel.
struct NormalizeOptions {
  std::vector<double> mean = {0.5};
  std::vector<double> std = {0.5};

  void describe(Fields& f) {
    f("mean", mean, "one number, or one per channel");
    f("std", std, "one number, or one per channel").above(0);
  }
};
TransformPtr normalize(const NormalizeOptions& options);

struct ChannelsOptions {
  int64_t count = 3;

  void describe(Fields& f) { f("count", count, "channels of the result").above(0); }
};
/// Repeats a single channel; three channels become one by the luminance of ITU-R BT.601 (float32).
TransformPtr channels(const ChannelsOptions& options);

struct ImageNetOptions {
  std::vector<double> range = {};

  void describe(Fields& f) {
    f("range", range,
      "[low, high] become 0 and 1 first; empty: the image's own minimum and maximum");
  }
};
/// Three channels with the mean and standard deviation of ImageNet's images (torchvision's
/// weights expect this): 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225.
TransformPtr imagenet(const ImageNetOptions& options);

}  // namespace fovea::transforms
