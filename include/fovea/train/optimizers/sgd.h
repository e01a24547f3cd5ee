#pragma once

#include "fovea/train/optimizers.h"

namespace fovea::train {

/// Gradient descent with momentum.
struct SgdOptions {
  double lr = 0.01;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 1e-4;
  void describe(Fields& f);
};

OptimizerPtr sgd(const SgdOptions& options, const std::vector<ParameterGroup>& groups);

}  // namespace fovea::train
