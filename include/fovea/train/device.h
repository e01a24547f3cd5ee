// Where a run computes. The program starts without CUDA; its libraries are opened here, when a GPU
// is asked for or found, and before anything asks LibTorch about CUDA (which would settle for ever
// that there is none).
#pragma once

#include <torch/types.h>

#include <string>
#include <string_view>

#include "fovea/core/standard_library.h"

namespace fovea::train {

/// `name` is "cpu", "cuda" (the first GPU), "cuda:N", or "auto": the first GPU where an NVIDIA
/// driver and LibTorch's CUDA library are found, else the CPU; the log says which and why.
///
/// An explicit request is never answered by another device: a resources Error names what was asked
/// for and what was found. Call it before any tensor is made on a GPU, once is enough.
torch::Device choose_device(std::string_view name);

/// "2 GPUs", or why none can be used: "no NVIDIA driver (libcuda.so.1 …)". Opens the libraries
/// where a driver is present.
std::string describe_gpus();

}  // namespace fovea::train
