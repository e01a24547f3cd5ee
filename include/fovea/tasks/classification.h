// Classification: binary (two outputs, softmax; the second class is the positive one), one of
// several classes (softmax), or several labels at once (sigmoid).
#pragma once

#include "fovea/tasks/losses.h"
#include "fovea/tasks/task.h"

namespace fovea::tasks {

struct ClassificationOptions {
  std::optional<LossChoice> loss;  ///< nothing: cross_entropy, or bce where a case has several
                                   ///< labels
  void describe(Fields& f) {
    f("loss", loss, "null: cross_entropy, or bce where a case has several labels");
  }
};

/// A head per target, each named like its target. Losses add up; with more than one target the
/// metrics are called "target.auc" and files go into a folder per target.
///
/// A config Error where there is no target or one has fewer than two classes (one, for several
/// labels).
TaskPtr classification(const ClassificationOptions& options,
                       const std::vector<TargetSpec>& targets);

}  // namespace fovea::tasks
