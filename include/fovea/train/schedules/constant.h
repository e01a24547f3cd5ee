#pragma once

#include "fovea/train/schedules.h"

namespace fovea::train {

/// The same rate throughout.
struct ConstantOptions {
  double warmup = 0;  ///< epochs
  void describe(Fields& f);
};

SchedulePtr constant(const ConstantOptions& options, const Horizon& horizon);

}  // namespace fovea::train
