#pragma once

#include "fovea/train/schedules.h"

namespace fovea::train {

/// Smith and Topin 2019: up and down again, both along a cosine; the learning rate is the peak.
struct OneCycleOptions {
  double rise = 0.3;    ///< share of the steps
  double start = 0.04;  ///< of the peak
  double end = 4e-6;
  double warmup = 0;  ///< epochs
  void describe(Fields& f);
};

SchedulePtr one_cycle(const OneCycleOptions& options, const Horizon& horizon);

}  // namespace fovea::train
