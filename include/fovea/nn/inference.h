// What makes a trained model answer sooner, without changing the answer.
#pragma once

#include <torch/nn/module.h>

namespace fovea::nn {

/// Lays convolution weights out channels last (NHWC, NDHWC), which the convolutions of LibTorch
/// prefer; inputs should be laid out the same way.
void channels_last(torch::nn::Module& model);

/// Puts the model into evaluation mode for good: multiplies each batch normalization that follows a
/// convolution into it and lays the weights out channels last. Such a model can neither be trained
/// nor saved. Outputs change by rounding only.
void fuse_for_inference(torch::nn::Module& model);

}  // namespace fovea::nn
