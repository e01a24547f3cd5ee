// The operators as calls of the kernels: tensors become SdpaArgs. No header of CUDA: the tests call it with tensors of the
// CPU, and the emulator as the device.
#pragma once

#include "attention/checks.h"

namespace fovea::cuda {

struct Device {
  int sm = 80;                         ///< 10 * major + minor
  bool tf32 = false;                   ///< one TF32 product is allowed for fp32
  void* stream = nullptr;              ///< a cudaStream_t
  void (*check)(int error) = nullptr;  ///< throws what a cudaError_t means
};

/// Channels of a head: the wider of keys and values.
int64_t channels(const attention::Sdpa& s);
int64_t channels(const attention::WindowSdpa& s);

// The arguments are checked, `results` and `gradients` are empty_results and empty_gradients, to be filled.
void forward(const attention::Sdpa& s, const Device& device, const attention::Tensors4& results);
void forward(const attention::WindowSdpa& s, const Device& device,
             const attention::Tensors4& results);
void backward(const attention::Sdpa& s, const attention::Passed& passed, const Device& device,
              const attention::Tensors4& gradients);
void backward(const attention::WindowSdpa& s, const attention::Passed& passed, const Device& device,
              const attention::Tensors2& gradients);

}  // namespace fovea::cuda
