#pragma once

#include "fovea/tasks/losses.h"

namespace fovea::tasks {

/// e² / 2 up to an error e of delta, beyond it delta (|e| - delta / 2).
struct HuberOptions {
  double delta = 1;
  void describe(Fields& f) {
    f("delta", delta,
      "where the squared error ends, in standard deviations of the training targets")
        .above(0);
  }
};

LossPtr huber(const HuberOptions& options, const TargetSpec& target);

}  // namespace fovea::tasks
