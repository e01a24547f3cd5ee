// The kernels of kernels/cuda, which live in a library of their own.
#pragma once

#include <optional>
#include <string>

#include "fovea/core/standard_library.h"

namespace fovea::attention {

/// Why there are no CUDA kernels.
struct NoCudaKernels {
  std::string reason;
  bool expected;  ///< FOVEA_CUDA_LIB names a library, or one lies beside this
};

/// Opens libfovea_cuda.so (FOVEA_CUDA_LIB, else beside this library, else where the loader looks): from then on the
/// operators run on CUDA. Opening it again changes nothing. It brings LibTorch's CUDA libraries with it, and makes the
/// functions of this library visible to whatever is opened later. In Python: torch.ops.fovea.open_cuda_kernels(), which
/// raises the reason.
std::optional<NoCudaKernels> open_cuda_kernels();

}  // namespace fovea::attention
