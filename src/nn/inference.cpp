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
  for (const auto& module : model.modules())
    if (auto* foldable = dynamic_cast<Foldable*>(module.get())) foldable->fold();
  for (torch::Tensor& parameter : model.parameters()) parameter.set_requires_grad(false);
  channels_last(model);
}

}  // namespace fovea::nn
