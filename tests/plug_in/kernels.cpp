// Stands for libfovea_cuda.so: needs a function of libfovea, and gives an operator for CUDA.
#include <torch/library.h>

#include "fovea/attention/attention.h"

namespace {

torch::Tensor draw(const torch::Tensor& like, const std::optional<at::Generator>&) {
  TORCH_CHECK(false, "no kernel at all, after ", fovea::attention::last_path());
  return like;
}

TORCH_LIBRARY_IMPL(fovea, CUDA, m) { m.impl("draw_rng", draw); }

}  // namespace
