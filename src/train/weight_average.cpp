#include "fovea/train/weight_average.h"

#include <ATen/ops/_foreach_lerp.h>

#include <algorithm>

#include "fovea/nn/model.h"

namespace fovea::train {

using torch::Tensor;

WeightAverage::WeightAverage(nn::Model& model, double decay) : decay_(decay) {
  const torch::NoGradGuard no_grad;
  const auto keep = [this](const Tensor& tensor) {
    if (tensor.is_floating_point()) {
      weights_.push_back(tensor);
      averages_.push_back(tensor.detach().clone(at::MemoryFormat::Preserve));
    } else {
      counters_.push_back(tensor);
      last_counters_.push_back(tensor.detach().clone());
    }
  };
  for (const auto& item : model.named_parameters()) keep(item.value());
  for (const auto& item : model.named_buffers()) keep(item.value());
}

void WeightAverage::update() {
  const torch::NoGradGuard no_grad;
  ++updates_;
  const auto n = static_cast<double>(updates_);
  const double decay = std::min(decay_, (1 + n) / (10 + n));
  at::_foreach_lerp_(averages_, weights_, 1 - decay);
  for (size_t i = 0; i < counters_.size(); ++i) last_counters_[i].copy_(counters_[i]);
}

void WeightAverage::swap() {
  const auto exchange = [](std::vector<Tensor>& in_model, std::vector<Tensor>& kept) {
    for (size_t i = 0; i < in_model.size(); ++i) {
      const Tensor before = in_model[i].detach();
      in_model[i].set_data(kept[i]);
      kept[i] = before;
    }
  };
  exchange(weights_, averages_);
  exchange(counters_, last_counters_);
}

void WeightAverage::state(State& s) { s("updates", updates_); }

}  // namespace fovea::train
