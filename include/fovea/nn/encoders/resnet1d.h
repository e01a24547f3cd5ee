// Residual networks on series and text: the ResNet of He et al. (CVPR 2016) along time, as Wang et
// al. (IJCNN 2017) and Hannun et al. (Nature Medicine, 2019) use it on waveforms.
#pragma once

#include "fovea/nn/sequence.h"

namespace fovea::nn {

struct ResNet1dOptions {
  int64_t width = 32;
  std::vector<int64_t> blocks = {2, 2, 2, 2};
  int64_t kernel = 7;
  double dropout = 0.1;
  int64_t embedding = 128;
  std::string pooling = "mean";

  void describe(Fields& f) {
    f("width", width, "channels of the first stage; each later one has twice as many").above(0);
    f("blocks", blocks,
      "residual blocks of each stage; every stage but the first halves the time axis")
        .above(0);
    f("kernel", kernel, "kernel size in steps, an odd number").above(0);
    f("dropout", dropout, "between the convolutions of a block, during training")
        .at_least(0)
        .below(1);
    f("embedding", embedding, "width of the embedding of a token, for text").above(0);
    f("pooling", pooling, "the last step, or mean or max over the steps")
        .one_of({"last", "mean", "max"});
  }
};

/// Features: `pooled` alone. The statistics of batch normalization are those of the time steps that
/// cases have, not of padding. A config Error where the input is neither text nor a series, or the
/// kernel is even.
EncoderPtr resnet1d(const ResNet1dOptions& options, const InputShape& shape);

}  // namespace fovea::nn
