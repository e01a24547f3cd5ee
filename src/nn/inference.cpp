#include "fovea/nn/inference.h"

#include <torch/nn.h>

#include "fovea/nn/layers.h"

namespace fovea::nn {

void channels_last(torch::nn::Module& model) {
  torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : model.parameters()) {
    if (parameter.dim() != 4 && parameter.dim() != 5) continue;
    parameter.set_data(parameter.contiguous(
        parameter.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d));
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
