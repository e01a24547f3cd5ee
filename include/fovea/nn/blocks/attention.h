#pragma once

#include "fovea/nn/blocks.h"

namespace fovea::nn {

/// Scaled dot-product attention over positions with heads (Vaswani et al., 2017).
struct AttentionBlockOptions {
  int64_t heads = 8;
  double dropout = 0;
  void describe(Fields& f) {
    f("heads", heads, "must divide the channels").above(0);
    f("dropout", dropout, "on the attention weights, during training").at_least(0).below(1);
  }
};

BlockPtr attention_block(const AttentionBlockOptions& options, int64_t channels, int64_t dims);

}  // namespace fovea::nn
