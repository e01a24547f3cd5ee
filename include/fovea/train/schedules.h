// How the learning rate changes: a factor for each optimizer step. A schedule is a function of the
// step; only `plateau` remembers anything.
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
  /// Told after each epoch how good the run is: the figure that chooses the best model.
  virtual void observe(double figure, const metrics::Goal& goal);
  virtual void state(State& s);
};
using SchedulePtr = std::unique_ptr<Schedule>;

/// Every schedule may begin with a warm-up: for W steps the factor is (t + 1) / (W + 1) of what it
/// would be at the end of the warm-up (`LinearLR` with start_factor 1 / (W + 1)). `cosine` and
/// `one_cycle` use the steps that are left; the epochs named in `step` and `multi_step` count from
/// the start of the run.
struct ConstantOptions {
  double warmup = 0;  ///< epochs, here and below
  void describe(Fields& f);
};

struct StepOptions {
  double every = 10;  ///< epochs
  double factor = 0.1;
  double warmup = 0;
  void describe(Fields& f);
};

struct MultiStepOptions {
  std::vector<double> at;  ///< epochs
  double factor = 0.1;
  double warmup = 0;
  void describe(Fields& f);
};

/// Loshchilov and Hutter 2017, without restarts.
struct CosineOptions {
  double floor = 0;  ///< of the learning rate, reached at the end
  double warmup = 0;
  void describe(Fields& f);
};

/// Smith and Topin 2019: up and down again, both along a cosine; the learning rate is the peak.
struct OneCycleOptions {
  double rise = 0.3;    ///< share of the steps
  double start = 0.04;  ///< of the peak
  double end = 4e-6;
  double warmup = 0;
  void describe(Fields& f);
};

/// Lower when the best figure has not improved for more than `patience` epochs.
struct PlateauOptions {
  double factor = 0.1;
  int64_t patience = 10;    ///< epochs
  double threshold = 1e-4;  ///< smallest improvement, relative
  int64_t cooldown = 0;     ///< epochs after a change before counting starts again
  double floor = 0;         ///< of the factor
  double warmup = 0;
  void describe(Fields& f);
};

using ScheduleTable = Catalogue<SchedulePtr(const Horizon&)>;
const ScheduleTable& schedules();  ///< the table: src/train/schedules.cpp

struct ScheduleChoice : Choice<SchedulePtr(const Horizon&)> {
  ScheduleChoice() : Choice(schedules(), "cosine") {}
};

}  // namespace fovea::train
