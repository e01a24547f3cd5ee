// Residual networks (He et al., CVPR 2016), in 2-D and 3-D. Parameter names are torchvision's.
#pragma once

#include "fovea/nn/blocks.h"
#include "fovea/nn/encoder.h"

namespace fovea::nn {

struct ResNetOptions {
  int64_t depth = 18;
  std::string stem = "imagenet";  ///< or "small", for images of some tens of pixels
  int64_t width = 64;             ///< channels of the stem
  std::vector<PlacedBlock> attention = {};
  std::string pooling = "average";

  void describe(Fields& f) {
    f("depth", depth, "layers").one_of({18, 34, 50, 101});
    f("stem", stem, "imagenet: 7x7 stride 2, then max pooling; small: 3x3 stride 1")
        .one_of({"imagenet", "small"});
    f("width", width, "channels of the stem; the last stage has 8 times as many (50, 101: 32)")
        .above(0);
    f("attention", attention, "blocks after stages 1 to 4");
    f("pooling", pooling, "two_branch: average and attention pooling side by side")
        .one_of(pooling_names());
  }
};

EncoderPtr resnet(const ResNetOptions& options, const InputShape& shape);

}  // namespace fovea::nn
