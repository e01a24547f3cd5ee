#pragma once

#include "fovea/train/schedules.h"

namespace fovea::train {

/// Lower when the metric has not improved for more than `patience` epochs.
struct PlateauOptions {
  double factor = 0.1;
  int64_t patience = 10;    ///< epochs
  double threshold = 1e-4;  ///< smallest improvement, relative
  int64_t cooldown = 0;     ///< epochs after a change before counting starts again
  double floor = 0;         ///< of the factor
  double warmup = 0;        ///< epochs
  void describe(Fields& f);
};

SchedulePtr plateau(const PlateauOptions& options, const Horizon& horizon);

}  // namespace fovea::train
