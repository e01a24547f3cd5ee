// Memory of a device that runs out, and a GPU that fails, as one message for whoever started the run.
#pragma once

#include <c10/util/Exception.h>
#include <torch/nn/module.h>

#include "fovea/core/error.h"

namespace fovea::train {

/// What was at work, and what can be done about it.
struct MemoryUse {
  torch::Device device = torch::kCPU;
  int64_t batch_size = 0;
  int64_t parameters = 0;  ///< of the model
  std::string remedy;
  std::string at = {};     ///< "step 12"
  std::string go_on = {};  ///< how, where a GPU has failed
};

int64_t parameter_count(const torch::nn::Module& model);

/// LibTorch's own exception for it, and CUDA's, which only says so.
bool is_out_of_memory(const c10::Error& error);

/// A resources Error with all of `use` and the numbers that LibTorch gives.
Error out_of_memory(const MemoryUse& use, const c10::Error& error);

/// What LibTorch says of CUDA, other than of its memory: a GPU that is gone, a kernel that failed.
bool is_device_failure(const c10::Error& error);
Error device_failure(const MemoryUse& use, const c10::Error& error);

/// Runs `body`; memory that runs out in it leaves as `out_of_memory(use(), …)`, a GPU that fails as
/// `device_failure(use(), …)`, anything else as it is.
template <class Use, class Body>
decltype(auto) within_memory(const Use& use, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) throw out_of_memory(use(), error);
    if (is_device_failure(error)) throw device_failure(use(), error);
    throw;
  }
}

}  // namespace fovea::train
