// How the learning rate changes: a factor for each optimizer step. A schedule is a function of the
// step; only `plateau` remembers anything.
//
// Every schedule may begin with a warm-up: for W steps the factor is (t + 1) / (W + 1) of what it
// would be at the end of the warm-up (`LinearLR` with start_factor 1 / (W + 1)). `cosine` and
// `one_cycle` use the steps that are left; the epochs named in `step` and `multi_step` count from
// the start of the run.
#pragma once

#include <memory>

#include "fovea/core/catalogue.h"
#include "fovea/metrics/goal.h"
#include "fovea/train/state.h"

namespace fovea::train {

/// How long a run is. Epochs in the settings become steps by it.
struct Horizon {
  int64_t steps_per_epoch = 1;
  int64_t epochs = 1;
  int64_t steps() const { return steps_per_epoch * epochs; }
};

class Schedule {
 public:
  virtual ~Schedule() = default;
  /// The factor of step `step`, from 0 on; after the last step it stays where it is.
  virtual double factor(int64_t step) const = 0;
  /// Told after each epoch how good the run is: the metric that chooses the best model.
  virtual void observe(double metric, const metrics::Goal& goal);
  virtual void state(State& s);
};
using SchedulePtr = std::unique_ptr<Schedule>;

using ScheduleTable = Catalogue<SchedulePtr(const Horizon&)>;
ScheduleTable& schedules();  ///< the table: src/train/schedules.cpp, settings: schedules/

struct ScheduleChoice : Choice<SchedulePtr(const Horizon&)> {
  ScheduleChoice() : Choice(schedules(), "cosine") {}
};

}  // namespace fovea::train
