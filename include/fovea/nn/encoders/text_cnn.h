// Convolutions of several lengths over text or a series, each channel's largest value (Kim, EMNLP
// 2014).
#pragma once

#include "fovea/nn/sequence.h"

namespace fovea::nn {

struct TextCnnOptions {
  std::vector<int64_t> kernels = {3, 4, 5};
  int64_t channels = 100;
  int64_t embedding = 128;
  TokenDropout token_dropout = {};
  double dropout = 0.5;

  void describe(Fields& f) {
    f("kernels", kernels, "kernel sizes, in tokens or time steps").above(0);
    f("channels", channels, "channels per kernel size").above(0);
    f("embedding", embedding, "width of the embedding of a token, for text").above(0);
    token_dropout.describe(f);
    f("dropout", dropout, "on the features, during training").at_least(0).below(1);
  }
};

/// A case shorter than a kernel is read as if zeros followed it. A config Error where the input is
/// neither text nor a series.
EncoderPtr text_cnn(const TextCnnOptions& options, const InputShape& shape);

}  // namespace fovea::nn
