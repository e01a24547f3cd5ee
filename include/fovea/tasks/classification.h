// Classification: binary (two outputs, softmax; the second class is the positive one), one of
// several classes (softmax), or several labels at once (sigmoid).
#pragma once

#include "fovea/metrics/decision.h"
#include "fovea/tasks/losses.h"
#include "fovea/tasks/task.h"

namespace fovea::tasks {

/// How the operating point is chosen on the validation cases: `youden`, or one of {sensitivity: 0.95},
/// {specificity: 0.9}, {cost: 10} (what a false negative costs beside a false positive) and {fixed: 0.5}.
struct OperatingPointRule : metrics::PointRule {};
void read_value(const Node& node, OperatingPointRule& rule);
Node write_value(const OperatingPointRule& rule);
std::string type_name(const OperatingPointRule& rule);

struct ClassificationOptions {
  std::optional<LossChoice> loss = {};  ///< nothing: cross_entropy, or bce where a case has several
                                        ///< labels
  OperatingPointRule operating_point = {};
  void describe(Fields& f) {
    f("loss", loss, "null: cross_entropy, or bce where a case has several labels");
    f("operating_point", operating_point,
      "where \"positive\" begins, chosen on the validation cases after training and kept with the "
      "model (two classes, or labels): youden, or one of {sensitivity: 0.95}, {specificity: 0.9}, "
      "{cost: 10} (of a false negative, in false positives), {fixed: 0.5}");
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
