#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "fovea/nn/weights.h"
#include "fovea/train/optimizers.h"

namespace fovea::train {

using torch::Tensor;

std::vector<ParameterGroup> parameter_groups(const nn::Model& model, double encoder_lr) {
  std::vector<ParameterGroup> groups;
  for (const nn::ParameterGroup& found : nn::parameter_groups(model)) {
    ParameterGroup& group = groups.emplace_back();
    group.lr_factor = found.head ? 1 : encoder_lr;
    group.decays = found.decay;
    for (const auto& [name, tensor] : found.parameters) {
      group.names.push_back(name);
      group.parameters.push_back(tensor);
    }
  }
  if (groups.empty())
    throw config_error("training: every parameter is frozen, and nothing is left to train",
                       "name fewer in ModelOptions::freeze");
  return groups;
}

Optimizer::Optimizer(std::vector<ParameterGroup> groups, double lr, double weight_decay,
                     std::vector<std::string> slots)
    : groups_(std::move(groups)),
      lr_(lr),
      weight_decay_(weight_decay),
      slot_names_(std::move(slots)) {
  const torch::NoGradGuard no_grad;
  int64_t parameters = 0;
  for (const ParameterGroup& group : groups_) {
    parameters += static_cast<int64_t>(group.parameters.size());
    auto& of_group = slots_.emplace_back(slot_names_.size());
    for (auto& slot : of_group)
      for (const Tensor& parameter : group.parameters)
        slot.push_back(at::zeros_like(parameter, at::MemoryFormat::Preserve));
  }
  steps_ =
      torch::zeros({parameters}, groups_.at(0).parameters.at(0).options().dtype(torch::kFloat));
  steps_of_ = steps_.unbind();
}

void Optimizer::count_step(const Tensor& skip) {
  std::vector<float> moves;
  for (const ParameterGroup& group : groups_)
    for (const Tensor& parameter : group.parameters)
      moves.push_back(parameter.grad().defined() ? 1.f : 0.f);
  const Tensor applied = 1 - skip;
  if (std::ranges::find(moves, 0.f) == moves.end())
    steps_.add_(applied);
  else
    steps_.add_(torch::tensor(moves).to(steps_.device()) * applied);
}

void Optimizer::step(double schedule_factor, const Tensor& skip) {
  const torch::NoGradGuard no_grad;
  count_step(skip);
  size_t first = 0;  // parameter of the group
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ParameterGroup& group = groups_[g];
    Lists lists{.parameters = {},
                .gradients = {},
                .slots = std::vector<std::vector<Tensor>>(slot_names_.size()),
                .steps = {},
                .lr = lr_ * schedule_factor * group.lr_factor,
                .weight_decay = group.decays ? weight_decay_ : 0,
                .skip = skip};
    for (size_t i = 0; i < group.parameters.size(); ++i) {
      const Tensor& gradient = group.parameters[i].grad();
      if (!gradient.defined()) continue;
      lists.parameters.push_back(group.parameters[i]);
      lists.gradients.push_back(gradient);
      lists.steps.push_back(steps_of_[first + i]);
      for (size_t s = 0; s < slot_names_.size(); ++s) lists.slots[s].push_back(slots_[g][s][i]);
    }
    first += group.parameters.size();
    if (!lists.parameters.empty()) update(lists);
  }
}

void Optimizer::zero_grad() {
  for (ParameterGroup& group : groups_)
    for (Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
}

std::vector<Tensor> Optimizer::gradients() const {
  std::vector<Tensor> gradients;
  for (const ParameterGroup& group : groups_)
    for (const Tensor& parameter : group.parameters)
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  return gradients;
}

void Optimizer::state(State& s) {
  const Tensor* saved = s.saved("steps");
  if (saved && saved->dim() == 0) {  // up to version 0.1 all parameters had one count
    const torch::NoGradGuard no_grad;
    steps_.fill_(saved->item<float>());
  } else {
    s("steps", steps_);
  }
  for (size_t g = 0; g < groups_.size(); ++g)
    for (size_t slot = 0; slot < slot_names_.size(); ++slot)
      for (size_t i = 0; i < groups_[g].names.size(); ++i)
        s(slot_names_[slot] + "." + groups_[g].names[i], slots_[g][slot][i]);
}

}  // namespace fovea::train
