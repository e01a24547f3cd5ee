#include "fovea/nn/inference.h"

#include <torch/nn/module.h>

#include "fovea/nn/layers.h"

namespace fovea::nn {

// `to` and not `contiguous`: with one channel both layouts are contiguous, and only the strides
// tell the convolutions which one is meant.
torch::Tensor channels_last(const torch::Tensor& image) {
  if (!image.is_floating_point() || (image.dim() != 4 && image.dim() != 5)) return image;
  const auto format =
      image.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d;
  return image.to(image.scalar_type(), /*non_blocking=*/false, /*copy=*/false, format);
}

// In the memory they have: a second copy of one weight at a time, not of all.
void channels_last(torch::nn::Module& model) {
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : model.parameters()) {
    const torch::Tensor weight = parameter.detach();
    if (weight.dim() != 4 && weight.dim() != 5) continue;
    const auto strides = weight.dim() == 4 ? c10::get_channels_last_strides_2d(weight.sizes())
                                           : c10::get_channels_last_strides_3d(weight.sizes());
    if (weight.strides() == at::IntArrayRef(strides)) continue;
    const torch::Tensor copy = weight.clone();
    parameter.set_data(weight.as_strided(weight.sizes(), strides).copy_(copy));
  }
}

void fuse_for_inference(torch::nn::Module& model) {
  model.eval();
  const auto fold_one = [](torch::nn::Module& module) {
    if (auto* foldable = dynamic_cast<Foldable*>(&module)) foldable->fold();
  };
  fold_one(model);
  for (const auto& module : model.modules(/*include_self=*/false)) fold_one(*module);
  for (torch::Tensor& parameter : model.parameters()) parameter.set_requires_grad(false);
  channels_last(model);
}

}  // namespace fovea::nn
