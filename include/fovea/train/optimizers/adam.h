#pragma once

#include "fovea/train/optimizers.h"

namespace fovea::train {

/// Kingma and Ba 2015; the decay is added to the gradient (L2).
struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0;
  void describe(Fields& f);
};

OptimizerPtr adam(const AdamOptions& options, const std::vector<ParameterGroup>& groups);

}  // namespace fovea::train
