// The one place that convolves. LibTorch 2.11 (its oneDNN 3.10) computes wrong gradients, overwrites
// memory or never ends where a kernel reaches beyond a small map: docs/architecture.md, "Convolutions".
#pragma once

#include <torch/types.h>

#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::nn {

/// One value for each axis of the map.
struct ConvGeometry {
  std::vector<int64_t> stride, padding, dilation;
  int64_t groups = 1;
};

/// `input` [N, in, (D, (H,)) W], `weight` [out, in / groups, (kd, (kh,)) kw], `bias` [out] or
/// undefined, zeros around the map -> [N, out, …]. Right for every geometry, on every processor.
torch::Tensor convolve(const torch::Tensor& input, const torch::Tensor& weight,
                       const torch::Tensor& bias, const ConvGeometry& geometry);

}  // namespace fovea::nn
