#include "fovea/train/grad_scaler.h"

#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>

namespace fovea::train {

using torch::Tensor;

GradScaler::GradScaler(const torch::Device& device, const GradScalerOptions& options)
    : options_(options),
      scale_(torch::full({}, options.scale, torch::device(device).dtype(torch::kFloat))),
      good_steps_(torch::zeros({}, torch::device(device).dtype(torch::kInt))) {}

Tensor GradScaler::unscale(std::vector<Tensor>& gradients) const {
  const torch::NoGradGuard no_grad;
  Tensor overflowed = torch::zeros({}, scale_.options());
  const Tensor inverse = scale_.to(torch::kDouble).reciprocal().to(torch::kFloat);
  if (!gradients.empty())
    at::_amp_foreach_non_finite_check_and_unscale_(gradients, overflowed, inverse);
  return overflowed;
}

void GradScaler::update(const Tensor& overflowed) {
  const torch::NoGradGuard no_grad;
  at::_amp_update_scale_(scale_, good_steps_, overflowed, options_.growth, options_.backoff,
                         options_.interval);
}

void GradScaler::state(State& s) {
  s("scale", scale_);
  s("good_steps", good_steps_);
}

}  // namespace fovea::train
