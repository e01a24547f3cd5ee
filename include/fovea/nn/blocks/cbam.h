#pragma once

#include "fovea/nn/blocks.h"

namespace fovea::nn {

/// Weights per channel from mean and maximum over positions, then weights per position from mean and
/// maximum over channels (Woo et al., ECCV 2018).
struct CbamOptions {
  int64_t reduction = 16;
  int64_t kernel = 7;
  void describe(Fields& f) {
    f("reduction", reduction, "the hidden layer has 1 / reduction of the channels").above(0);
    f("kernel", kernel, "side of the convolution that weighs the positions").one_of({3, 5, 7});
  }
};

BlockPtr cbam(const CbamOptions& options, int64_t channels, int64_t dims);

}  // namespace fovea::nn
