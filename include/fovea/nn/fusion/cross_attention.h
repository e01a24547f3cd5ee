#pragma once

#include "fovea/nn/fusion.h"

namespace fovea::nn {

/// Each input asks: its pooled features attend over the tokens (words, time steps, positions of the
/// last feature map) of all others (Tsai et al., ACL 2019, with one layer). What is missing is not
/// seen.
struct CrossAttentionOptions {
  int64_t width = 128;
  int64_t heads = 4;
  double dropout = 0;
  void describe(Fields& f) {
    f("width", width, "channels per input").above(0);
    f("heads", heads, "must divide the width").above(0);
    f("dropout", dropout, "on the attention weights, during training").at_least(0).below(1);
  }
};
FusionPtr cross_attention(const CrossAttentionOptions& options,
                          const std::vector<PartWidths>& widths);

}  // namespace fovea::nn
