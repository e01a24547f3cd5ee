// The numbers a run computes with, how its tensors lie in memory, and where dropout gets its
// randomness: what surrounds the model's forward pass.
#pragma once

#include <torch/types.h>

#include <string>

#include "fovea/data/example.h"

namespace fovea::nn {
class Model;
}

namespace fovea::train {

/// Weights are always float32; bf16 and fp16 are what the forward and backward passes compute with
/// where that is safe (autocast).
enum class Precision { fp32, bf16, fp16 };
std::string_view name_of(Precision precision);

/// "fp32", "bf16", "fp16", or "auto": bf16 on a GPU and on a processor with bf16 instructions
/// (AVX512-BF16, AMX), else fp32. A config Error where the device cannot compute so (fp16 on the
/// CPU).
Precision choose_precision(std::string_view name, const torch::Device& device);

/// While it lives, this thread computes with `precision` on `device`. Weights are cast once in its
/// life, so it must not outlive an optimizer step.
class Autocast {
 public:
  Autocast(const torch::Device& device, Precision precision);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  torch::DeviceType device_;
  bool before_;
  torch::ScalarType dtype_before_;
};

/// The batch on `device`; its images with the channels last where asked for.
Batch prepared(const Batch& batch, const torch::Device& device, bool channels_last);

/// Seeds LibTorch's generators of the CPU and of `device` (dropout). Not torch::manual_seed, which
/// asks for every device and would freeze the CUDA hooks.
void seed_torch(uint64_t seed, const torch::Device& device);

}  // namespace fovea::train
