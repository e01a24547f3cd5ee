#pragma once

#include "fovea/tasks/losses.h"

namespace fovea::tasks {

/// (1 - p_t)^γ times cross-entropy: easy cases count less (Lin 2017). Softmax where a case has one
/// class, sigmoid where it has several labels.
struct FocalOptions {
  double gamma = 2;
  std::vector<double> alpha = {};  ///< none; one: weight of positives, 1 - alpha of negatives; or K
  void describe(Fields& f);
};

LossPtr focal(const FocalOptions& options, const TargetSpec& target);

}  // namespace fovea::tasks
