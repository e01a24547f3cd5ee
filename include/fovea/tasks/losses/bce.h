#pragma once

#include "fovea/tasks/losses.h"
#include "fovea/tasks/losses/class_weights.h"

namespace fovea::tasks {

/// -(w_c t log σ(x) + (1 - t) log σ(-x)); the weight is the known cells. `balanced` is negatives /
/// positives of the label.
struct BceOptions {
  ClassWeights pos_weight = {};
  void describe(Fields& f);
};

LossPtr binary_cross_entropy(const BceOptions& options, const TargetSpec& target);

}  // namespace fovea::tasks
