#include "fovea/attention/plug_in.h"

#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <torch/library.h>

#include <cstdlib>
#include <filesystem>

namespace fovea::attention {
namespace {

/// The library or program that holds this function.
std::filesystem::path own_file() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&open_cuda_kernels), &info) == 0 || !info.dli_fname)
    return {};
  return info.dli_fname;
}

/// Why not.
std::optional<std::string> open(const std::string& path) {
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) return {};
  const char* reason = dlerror();
  return reason ? reason : "unknown reason";
}

void open_or_throw() {
  const auto none = open_cuda_kernels();
  TORCH_CHECK(!none, "fovea has no CUDA kernels: ", none->reason);
}

}  // namespace

std::optional<NoCudaKernels> open_cuda_kernels() {
  const std::filesystem::path own = own_file();
  // The plug-in calls functions of this library and does not name it, since a program may contain them itself. What Python
  // opens stays hidden from others; opened once more, it is visible.
  void* const self = dlopen(own.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
  const char* wanted = std::getenv("FOVEA_CUDA_LIB");
  const std::string name = wanted ? wanted : "libfovea_cuda.so";
  const std::filesystem::path beside = own.parent_path() / name;
  const auto reason = open(beside.string());
  if (!reason || !open(name)) return {};
  if (self) dlclose(self);
  std::error_code ignored;
  return NoCudaKernels{*reason, wanted || std::filesystem::exists(beside, ignored)};
}

TORCH_LIBRARY_FRAGMENT(fovea, m) { m.def("open_cuda_kernels() -> ()", open_or_throw); }

}  // namespace fovea::attention
