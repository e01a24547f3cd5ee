// How gradients move the weights: thin classes over LibTorch's fused kernels, equal to PyTorch's
// optimizers step by step. Their state is named tensors.
#pragma once

#include <torch/types.h>

#include <memory>

#include "fovea/core/catalogue.h"
#include "fovea/train/state.h"

namespace fovea::nn {
class Model;
}

namespace fovea::train {

/// Parameters that are moved alike.
struct ParameterGroup {
  std::vector<std::string> names;
  std::vector<torch::Tensor> parameters;
  double lr_factor = 1;  ///< of the learning rate
  bool decays = true;    ///< whether weight decay applies
};

/// The trainable parameters of a model as nn::parameter_groups sorts them (no decay on norms and
/// biases), those of the encoders at `encoder_lr` times the learning rate.
std::vector<ParameterGroup> parameter_groups(const nn::Model& model, double encoder_lr);

class Optimizer {
 public:
  /// `slots`: the names of the tensors kept beside each parameter ("exp_avg").
  Optimizer(std::vector<ParameterGroup> groups, double lr, double weight_decay,
            std::vector<std::string> slots);
  virtual ~Optimizer() = default;

  /// One step with the gradients as they are. Parameters without a gradient stay, their step count
  /// included: what few batches reach (an input that most cases lack) is corrected for the steps that
  /// it took. Where `skip` (a float scalar on the parameters' device) is 1, nothing moves and nothing
  /// is counted; the host need not know.
  void step(double schedule_factor, const torch::Tensor& skip);

  /// Forgets all gradients (the tensors go, rather than being filled with zeros).
  void zero_grad();

  const std::vector<ParameterGroup>& groups() const { return groups_; }
  std::vector<torch::Tensor> gradients() const;  ///< those that are there
  double lr() const { return lr_; }              ///< before schedule and group
  void state(State& s);

 protected:
  /// The parameters of one group that have a gradient, and what belongs to them.
  struct Lists {
    std::vector<torch::Tensor> parameters, gradients;
    std::vector<std::vector<torch::Tensor>> slots;  ///< [slot][parameter]
    std::vector<torch::Tensor> steps;               ///< taken by each parameter: float scalars
    double lr, weight_decay;
    torch::Tensor skip;
  };
  virtual void update(Lists& lists) = 0;

 private:
  void count_step(const torch::Tensor& skip);

  std::vector<ParameterGroup> groups_;
  double lr_, weight_decay_;
  std::vector<std::string> slot_names_;
  std::vector<std::vector<std::vector<torch::Tensor>>> slots_;  // [group][slot][parameter]
  torch::Tensor
      steps_;  // float [parameters], group after group: on the device, where a step is skipped
  std::vector<torch::Tensor> steps_of_;  // views of them
};

using OptimizerPtr = std::unique_ptr<Optimizer>;

using OptimizerTable = Catalogue<OptimizerPtr(const std::vector<ParameterGroup>&)>;
OptimizerTable& optimizers();  ///< the table: src/train/optimizers.cpp, settings: optimizers/

struct OptimizerChoice : Choice<OptimizerPtr(const std::vector<ParameterGroup>&)> {
  OptimizerChoice() : Choice(optimizers(), "adamw") {}
};

}  // namespace fovea::train
