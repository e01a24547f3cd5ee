#include "fovea/train/device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <optional>

#include "fovea/attention/plug_in.h"
#include "fovea/core/error.h"
#include "fovea/core/log.h"

namespace fovea::train {
namespace {

/// The folder of the library or program that holds `symbol`.
std::filesystem::path folder_of(const void* symbol) {
  Dl_info info{};
  if (dladdr(symbol, &info) == 0 || !info.dli_fname) return {};
  return std::filesystem::path(info.dli_fname).parent_path();
}

/// Opens a library beside `symbol`, or by the loader's own search. The reason where it cannot.
std::optional<std::string> open_library(const char* name, const void* beside) {
  const std::string path = (folder_of(beside) / name).string();
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) return {};
  const char* first = dlerror();
  const std::string reason = first ? first : "unknown reason";
  if (dlopen(name, RTLD_NOW | RTLD_GLOBAL)) return {};
  dlerror();
  return reason;
}

struct Gpus {
  bool driver = true;
  int count = 0;
  std::string why_none;
};

Gpus open_gpus() {
  if (!dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL)) {
    const char* reason = dlerror();
    return {.driver = false,
            .why_none = fmt::format("no NVIDIA driver ({})", reason ? reason : "libcuda.so.1")};
  }
  // Our own kernels are optional (the plain formulas serve every device); LibTorch's library is not.
  if (const auto none = attention::open_cuda_kernels())
    log(none->expected ? Level::warning : Level::debug,
        fmt::format("fovea's own CUDA kernels are not used ({})", none->reason));
  if (const auto reason =
          open_library("libtorch_cuda.so", reinterpret_cast<const void*>(&at::globalContext)))
    return {.why_none = "LibTorch's CUDA library does not load (" + *reason + ")"};
  if (!at::detail::getCUDAHooks().hasCUDA())
    return {.why_none = "LibTorch was asked about CUDA before its library was loaded"};
  const int count = at::detail::getCUDAHooks().deviceCount();
  if (count == 0)
    return {.why_none = "the driver shows no GPU (see nvidia-smi, CUDA_VISIBLE_DEVICES)"};
  return {.count = count};
}

const Gpus& gpus() {
  static const Gpus found = open_gpus();
  return found;
}

int64_t index_of(std::string_view name) {
  if (name == "cuda") return 0;
  const std::string_view digits = name.substr(name.find(':') + 1);
  int64_t index = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (!name.starts_with("cuda:") || error != std::errc() || end != digits.data() + digits.size() ||
      index < 0 || index > 127)
    throw config_error(fmt::format("device: found '{}', wanted auto, cpu, cuda or cuda:N", name));
  return index;
}

}  // namespace

std::string describe_gpus() {
  return gpus().count > 0 ? fmt::format("{} GPU{}", gpus().count, gpus().count > 1 ? "s" : "")
                          : gpus().why_none;
}

torch::Device choose_device(std::string_view name) {
  if (name == "cpu") return torch::kCPU;
  if (name == "auto") {
    const bool any = gpus().count > 0;
    log(gpus().driver ? Level::info : Level::debug,
        fmt::format("device: {} ({})", any ? "cuda:0" : "cpu", describe_gpus()));
    return any ? torch::Device(torch::kCUDA, 0) : torch::Device(torch::kCPU);
  }
  const int64_t index = index_of(name);
  if (index >= gpus().count)
    throw resource_error(fmt::format("device: asked for '{}', found {}", name, describe_gpus()),
                         "ask for the device auto or cpu to compute on the CPU");
  return {torch::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace fovea::train
