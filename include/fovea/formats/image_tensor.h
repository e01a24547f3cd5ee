// From a decoded image to a tensor.
#pragma once

#include <torch/types.h>

#include "fovea/image/image.h"

namespace fovea::formats {

/// [C, H, W], or [C, D, H, W] where there are several frames. Samples of 8 bits without a rescale
/// stay uint8; all others become float32 = sample * slope + intercept, computed in double (so 16
/// bits are exact).
///
///   channels  0: as stored; 1: RGB becomes grey by the weights of Rec. 601 (0.299, 0.587, 0.114);
///             3: a data Error for a grey image (a transform repeats the channel)
///
/// A data Error where a value is not finite, or is not as a float.
torch::Tensor to_tensor(const Image& image, int64_t channels = 0);

}  // namespace fovea::formats
