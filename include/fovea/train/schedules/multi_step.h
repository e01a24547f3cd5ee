#pragma once

#include "fovea/train/schedules.h"

namespace fovea::train {

/// Falls after the epochs named.
struct MultiStepOptions {
  std::vector<double> at;  ///< epochs
  double factor = 0.1;
  double warmup = 0;  ///< epochs
  void describe(Fields& f);
};

SchedulePtr multi_step(const MultiStepOptions& options, const Horizon& horizon);

}  // namespace fovea::train
