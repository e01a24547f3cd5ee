// Shapes and strides without data, for torch.export and FakeTensor: those of the other devices' results, by construction.
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "attention/checks.h"

namespace fovea::attention {
namespace {

Tensor draw(const Tensor& like, const std::optional<at::Generator>&) {
  return at::empty({2}, like.options().dtype(at::kLong));
}
Tensors4 forward(const Sdpa& s) {
  check(s);
  return empty_results(s);
}
Tensors4 backward(const Sdpa& s, const Passed& passed, std::array<bool, 4> need) {
  check(s, passed);
  return empty_gradients(s, need);
}
Tensors4 window_forward(const WindowSdpa& s) {
  check(s);
  return empty_results(s);
}
Tensors2 window_backward(const WindowSdpa& s, const Passed& passed, std::array<bool, 2> need) {
  check(s, passed);
  return empty_gradients(s, need);
}

}  // namespace

TORCH_LIBRARY_IMPL(fovea, Meta, m) {
  m.impl("draw_rng", draw);
  implement<forward, backward, window_forward, window_backward>(m);
}

}  // namespace fovea::attention
