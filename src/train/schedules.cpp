// The table of schedules. To add one: a file like schedules/cosine.cpp, and a line here.
#include "fovea/train/schedules.h"

#include "fovea/train/schedules/constant.h"
#include "fovea/train/schedules/cosine.h"
#include "fovea/train/schedules/multi_step.h"
#include "fovea/train/schedules/one_cycle.h"
#include "fovea/train/schedules/plateau.h"
#include "fovea/train/schedules/step.h"

namespace fovea::train {

void Schedule::observe(double, const metrics::Goal&) {}
void Schedule::state(State&) {}

ScheduleTable& schedules() {
  static ScheduleTable table(
      "schedules",
      {
          ScheduleTable::item<ConstantOptions>("constant", "the same learning rate throughout",
                                               constant),
          ScheduleTable::item<StepOptions>("step", "falls at regular intervals", step),
          ScheduleTable::item<MultiStepOptions>("multi_step", "falls after given epochs",
                                                multi_step),
          ScheduleTable::item<CosineOptions>(
              "cosine", "half a cosine to the end of the run (Loshchilov and Hutter 2017)", cosine),
          ScheduleTable::item<OneCycleOptions>(
              "one_cycle", "up and down again (Smith and Topin 2019); the rate is the peak",
              one_cycle),
          ScheduleTable::item<PlateauOptions>(
              "plateau", "falls when the metric that selects the best model stops improving",
              plateau),
      });
  return table;
}

}  // namespace fovea::train
