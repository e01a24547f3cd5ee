// Densely connected networks (Huang et al., CVPR 2017), in 2-D and 3-D. Parameter names are
// torchvision's.
#pragma once

#include "fovea/nn/blocks.h"
#include "fovea/nn/encoder.h"

namespace fovea::nn {

struct DenseNetOptions {
  int64_t depth = 121;
  std::string stem = "imagenet";  ///< or "small", for images of some tens of pixels
  int64_t growth = 32;            ///< channels that each layer adds
  std::vector<PlacedBlock> attention = {};
  std::string pooling = "average";

  void describe(Fields& f) {
    f("depth", depth, "layers").one_of({121, 169, 201});
    f("stem", stem, "imagenet: 7x7 stride 2, then max pooling; small: 3x3 stride 1")
        .one_of({"imagenet", "small"});
    f("growth", growth, "channels that each layer adds; the stem has twice as many").above(1);
    f("attention", attention,
      "blocks after stages 1 to 4; a stage is a dense block with its transition");
    f("pooling", pooling, "two_branch: average and attention pooling side by side")
        .one_of(pooling_names());
  }
};

EncoderPtr densenet(const DenseNetOptions& options, const InputShape& shape);

}  // namespace fovea::nn
