#pragma once

#include "fovea/train/optimizers.h"

namespace fovea::train {

/// Tieleman and Hinton 2012.
struct RmspropOptions {
  double lr = 1e-3;
  double alpha = 0.99, eps = 1e-8;
  double momentum = 0;
  double weight_decay = 0;
  void describe(Fields& f);
};

OptimizerPtr rmsprop(const RmspropOptions& options, const std::vector<ParameterGroup>& groups);

}  // namespace fovea::train
