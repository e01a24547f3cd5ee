#pragma once

#include "fovea/train/schedules.h"

namespace fovea::train {

/// Loshchilov and Hutter 2017, without restarts.
struct CosineOptions {
  double floor = 0;   ///< of the learning rate, reached at the end
  double warmup = 0;  ///< epochs
  void describe(Fields& f);
};

SchedulePtr cosine(const CosineOptions& options, const Horizon& horizon);

}  // namespace fovea::train
