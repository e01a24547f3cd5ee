#include "fovea/train/precision.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/cpu/Utils.h>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/nn/inference.h"

namespace fovea::train {
namespace {

bool computes_bf16() {
  const auto capabilities = at::cpu::get_cpu_capabilities();
  for (const char* name : {"avx512_bf16", "amx_bf16", "bf16"}) {
    const auto found = capabilities.find(name);
    if (found != capabilities.end() && found->second.isBool() && found->second.toBool())
      return true;
  }
  return false;
}

void seed_generator(at::Generator generator, uint64_t seed) {
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(seed);
}

}  // namespace

std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::bf16:
      return "bf16";
    case Precision::fp16:
      return "fp16";
    default:
      return "fp32";
  }
}

Precision choose_precision(std::string_view name, const torch::Device& device) {
  if (name == "auto") {
    const bool fast = device.is_cuda() || computes_bf16();
    return fast ? Precision::bf16 : Precision::fp32;
  }
  if (name == "fp32") return Precision::fp32;
  if (name == "bf16") return Precision::bf16;
  if (name != "fp16")
    throw config_error("TrainOptions::precision: found '" + std::string(name) +
                       "', wanted auto, fp32, bf16 or fp16");
  if (device.is_cpu())
    throw config_error(
        "TrainOptions::precision: fp16 is for GPUs, and this run computes on the CPU", "use bf16");
  return Precision::fp16;
}

Autocast::Autocast(const torch::Device& device, Precision precision)
    : device_(device.type()),
      before_(at::autocast::is_autocast_enabled(device_)),
      dtype_before_(at::autocast::get_autocast_dtype(device_)) {
  at::autocast::increment_nesting();
  at::autocast::set_autocast_enabled(device_, precision != Precision::fp32);
  if (precision != Precision::fp32)
    at::autocast::set_autocast_dtype(
        device_, precision == Precision::bf16 ? torch::kBFloat16 : torch::kHalf);
}

Autocast::~Autocast() {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, before_);
  at::autocast::set_autocast_dtype(device_, dtype_before_);
}

Batch prepared(const Batch& batch, const torch::Device& device, bool with_channels_last) {
  Batch ready = device.is_cpu() ? batch : batch.to(device);
  if (with_channels_last)
    for (auto& [name, tensor] : ready.inputs) tensor = nn::channels_last(tensor);
  return ready;
}

void seed_torch(uint64_t seed, const torch::Device& device) {
  seed_generator(at::detail::getDefaultCPUGenerator(), seed);
  if (!device.is_cpu()) seed_generator(at::globalContext().defaultGenerator(device), seed);
}

}  // namespace fovea::train
