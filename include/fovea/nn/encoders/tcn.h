// Temporal convolutional networks on series and text (Bai et al., 2018): causal convolutions whose
// reach doubles with each block, weight normalization, residuals.
#pragma once

#include "fovea/nn/sequence.h"

namespace fovea::nn {

struct TcnOptions {
  std::vector<int64_t> channels = {64, 64, 64, 64};
  int64_t kernel = 3;
  double dropout = 0.2;
  int64_t embedding = 128;
  std::string pooling = "last";

  void describe(Fields& f) {
    f("channels", channels,
      "of each block; block i (from 0) has dilation 2^i, so n blocks reach back 2 (kernel - 1) "
      "(2^n - 1) steps")
        .above(0);
    f("kernel", kernel, "kernel size, in steps").above(0);
    f("dropout", dropout, "after each convolution, during training").at_least(0).below(1);
    f("embedding", embedding, "width of the embedding of a token, for text").above(0);
    f("pooling", pooling, "the last step, or mean, max or attention over the steps")
        .one_of(sequence_pooling_names());
  }
};

/// Features: `tokens` [N, L, width()], and with attention pooling `weights` [N, L].
/// A config Error where the input is neither text nor a series.
EncoderPtr tcn(const TcnOptions& options, const InputShape& shape);

}  // namespace fovea::nn
