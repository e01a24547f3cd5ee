#pragma once

#include "fovea/nn/blocks.h"

namespace fovea::nn {

/// One weight per channel, from the mean of every channel (Hu et al., CVPR 2018).
struct SqueezeExcitationOptions {
  int64_t reduction = 16;
  void describe(Fields& f) {
    f("reduction", reduction, "the hidden layer has 1 / reduction of the channels").above(0);
  }
};

BlockPtr squeeze_excitation(const SqueezeExcitationOptions& options, int64_t channels,
                            int64_t dims);

}  // namespace fovea::nn
