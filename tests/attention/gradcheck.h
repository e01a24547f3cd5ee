// Gradients against central differences.
#pragma once

#include "attention/support.h"

namespace fovea::attention::test {

using Tensors = std::vector<Tensor>;

/// Holds the gradients of f in its inputs (double) against differences: each element of a small input, else random
/// directions. f's result is weighed with fixed random numbers.
inline void gradcheck(const Tensors& inputs, const std::function<Tensor(const Tensors&)>& f) {
  constexpr double kStep = 1e-5;
  Tensors leaves;
  for (const Tensor& input : inputs) leaves.push_back(input.detach().clone().requires_grad_());
  const Tensor result = f(leaves);
  const Tensor weights = normal(result.sizes(), 99);
  const Tensors gradients = torch::autograd::grad({(result * weights).sum()}, leaves);
  const auto value = [&](size_t index, const Tensor& direction, double step) {
    const torch::NoGradGuard guard;
    Tensors moved = inputs;
    moved[index] = inputs[index] + step * direction;
    return (f(moved) * weights).sum().item<double>();
  };
  for (size_t index = 0; index < inputs.size(); ++index) {
    const int64_t n = inputs[index].numel();
    const bool each = n <= 64;
    for (int64_t i = 0; i < (each ? n : 12); ++i) {
      Tensor direction =
          each ? at::zeros({n}, at::kDouble) : normal({n}, 100 + static_cast<uint64_t>(i));
      if (each) direction[i] = 1;
      direction = (direction / direction.norm()).view(inputs[index].sizes());
      const double slope =
          (value(index, direction, kStep) - value(index, direction, -kStep)) / (2 * kStep);
      EXPECT_NEAR((gradients[index] * direction).sum().item<double>(), slope,
                  1e-7 * (1 + std::abs(slope)))
          << "input " << index << ", direction " << i;
    }
  }
}

}  // namespace fovea::attention::test
