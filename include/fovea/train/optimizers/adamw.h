#pragma once

#include "fovea/train/optimizers.h"

namespace fovea::train {

/// Loshchilov and Hutter 2019: the decay acts on the weights, apart from the gradient.
struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0.01;
  void describe(Fields& f);
};

OptimizerPtr adamw(const AdamWOptions& options, const std::vector<ParameterGroup>& groups);

}  // namespace fovea::train
