#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <fstream>
#include <iostream>

#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/config/version.h"
#include "fovea/core/threads.h"
#include "fovea/dicom/versions.h"
#include "fovea/io/versions.h"
#include "fovea/train/device.h"

namespace fovea::commands {
namespace {

void line(std::string_view what, std::string_view value) {
  std::cout << fmt::format("{:<14} {}\n", what, value);
}

/// "AMD EPYC …" as the kernel calls it; nothing where it does not say.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string text; std::getline(file, text);)
    if (text.starts_with("model name")) return text.substr(text.find(": ") + 2);
  return "unknown";
}

/// What matters to the kernels: of the flags that the kernel lists.
std::string instructions() {
  std::ifstream file("/proc/cpuinfo");
  std::string text;
  while (std::getline(file, text) && !text.starts_with("flags")) {
  }
  text += ' ';
  std::string found;
  for (const char* flag : {"avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16"})
    if (text.find(std::string(" ") + flag + " ") != std::string::npos)
      found += std::string(flag) + " ";
  return found.empty() ? "none of avx2, avx512, amx" : found;
}

void defect(std::string_view what, std::string_view guard) {
  std::cout << fmt::format("{:<14}   known defect: {}; guard: {}\n", "", what, guard);
}

}  // namespace

int doctor() {
  line("fovea", config::version_text());
  line("LibTorch", TORCH_VERSION);
  defect(
      "oneDNN convolves wrongly where a kernel reaches beyond a small map, or a kernel of 1 has a "
      "stride: gradients of whatever was in memory, writes out of bounds, loops without end",
      "nn::convolve adds the zeros and takes every n-th value itself there");
  for (const io::LibraryVersion& library : io::library_versions())
    line(library.name, library.version);
  for (const dicom::LibraryVersion& library : dicom::library_versions()) {
    line(library.name, library.version);
    for (const dicom::Defect& known : library.defects)
      defect(known.what, in_our_words(known.guard));
  }
  line("processor", processor());
  line("instructions", instructions());
  line("LibTorch uses", at::get_cpu_capability());
  line("threads", fmt::format("{} cores, {} threads compute", processors(), at::get_num_threads()));
  line("GPU", train::describe_gpus());
  return 0;
}

}  // namespace fovea::commands
