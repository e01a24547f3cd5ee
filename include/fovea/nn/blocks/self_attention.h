#pragma once

#include "fovea/nn/blocks.h"

namespace fovea::nn {

/// SAGAN (Zhang et al., ICML 2019): softmax(q' k) v without a scale, from 1x1 convolutions.
struct SelfAttentionOptions {
  int64_t reduction = 8;
  void describe(Fields& f) {
    f("reduction", reduction, "query and key have 1 / reduction of the channels").above(0);
  }
};

BlockPtr self_attention(const SelfAttentionOptions& options, int64_t channels, int64_t dims);

}  // namespace fovea::nn
