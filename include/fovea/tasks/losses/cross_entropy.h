#pragma once

#include "fovea/tasks/losses.h"
#include "fovea/tasks/losses/class_weights.h"

namespace fovea::tasks {

/// -Σ w_c t_c log softmax(x)_c. With hard targets the weight is the sum of the cases' class weights,
/// with soft ones the number of cases (as in PyTorch). `balanced` is n / (K n_c).
struct CrossEntropyOptions {
  ClassWeights class_weights = {};
  double label_smoothing = 0;  ///< t becomes (1 - s) t + s / K (Szegedy 2016)
  void describe(Fields& f);
};

LossPtr cross_entropy(const CrossEntropyOptions& options, const TargetSpec& target);

}  // namespace fovea::tasks
