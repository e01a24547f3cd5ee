#pragma once

#include "fovea/train/schedules.h"

namespace fovea::train {

/// Falls every so many epochs.
struct StepOptions {
  double every = 10;  ///< epochs
  double factor = 0.1;
  double warmup = 0;  ///< epochs
  void describe(Fields& f);
};

SchedulePtr step(const StepOptions& options, const Horizon& horizon);

}  // namespace fovea::train
