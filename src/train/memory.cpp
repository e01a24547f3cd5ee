#include "fovea/train/memory.h"

#include <fmt/format.h>

namespace fovea::train {
namespace {

/// "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has … of which 1.00 GiB is free." What
/// follows in LibTorch's text is advice for Python programs.
std::string numbers_in(const std::string& text) {
  const std::string line = text.substr(0, text.find('\n'));
  constexpr std::string_view kLast = " is free.";
  const size_t end = line.find(kLast);
  return end == std::string::npos ? line : line.substr(0, end + kLast.size());
}

}  // namespace

int64_t parameter_count(const torch::nn::Module& model) {
  int64_t count = 0;
  for (const torch::Tensor& parameter : model.parameters()) count += parameter.numel();
  return count;
}

bool is_out_of_memory(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error)) return true;
  const std::string text = error.what_without_backtrace();
  for (const char* known : {"out of memory", "can't allocate memory", "ALLOC_FAILED"})
    if (text.find(known) != std::string::npos) return true;
  return false;
}

bool is_device_failure(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  for (const char* known : {"CUDA error", "CUDA driver error", "cuDNN error", "CUBLAS_STATUS"})
    if (text.find(known) != std::string::npos) return true;
  return false;
}

Error device_failure(const MemoryUse& use, const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return resource_error(
      fmt::format("{} failed{}: {}", use.device.str(), use.at.empty() ? "" : " at " + use.at,
                  text.substr(0, text.find('\n'))),
      "see whether the GPU is there (nvidia-smi)" +
          (use.go_on.empty() ? "" : ", then " + use.go_on));
}

Error out_of_memory(const MemoryUse& use, const c10::Error& error) {
  return resource_error(
      fmt::format("the memory of {} ran out: a batch of {} cases and a model of {} parameters did "
                  "not fit ({})",
                  use.device.str(), use.batch_size, use.parameters,
                  numbers_in(error.what_without_backtrace())),
      use.remedy);
}

}  // namespace fovea::train
