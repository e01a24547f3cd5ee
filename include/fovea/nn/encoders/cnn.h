// A small plain convolutional network, for small images, teaching and tests.
#pragma once

#include "fovea/nn/blocks.h"
#include "fovea/nn/encoder.h"

namespace fovea::nn {

struct CnnOptions {
  std::vector<int64_t> channels = {16, 32, 64};
  std::vector<PlacedBlock> attention = {};
  std::string pooling = "average";

  void describe(Fields& f) {
    f("channels", channels,
      "of each stage: 3x3 convolution, batch normalization, ReLU, max pooling by 2")
        .above(0);
    f("attention", attention, "blocks after stages");
    f("pooling", pooling, "two_branch: average and attention pooling side by side")
        .one_of(pooling_names());
  }
};

EncoderPtr cnn(const CnnOptions& options, const InputShape& shape);

}  // namespace fovea::nn
