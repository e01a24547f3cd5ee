// What makes a model answer sooner, without changing the answer.
#pragma once

#include <torch/nn/module.h>

#include "fovea/core/standard_library.h"

namespace fovea::nn {

/// Lays convolution weights and images out channels last (NHWC, NDHWC): the layout that the
/// convolutions of the CPU (oneDNN) and of tensor cores compute in. Other tensors stay as they are.
void channels_last(torch::nn::Module& model);
torch::Tensor channels_last(const torch::Tensor& image);

/// Puts the model into evaluation mode for good: multiplies each batch normalization that follows a
/// convolution into it and lays the weights out channels last. Such a model can neither be trained
/// nor saved. Outputs change by rounding only.
void fuse_for_inference(torch::nn::Module& model);

}  // namespace fovea::nn
