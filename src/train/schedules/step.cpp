#include "fovea/train/schedules/step.h"

#include <algorithm>
#include <cmath>

#include "train/schedules/warmed.h"

namespace fovea::train {
namespace {

class Steps final : public Warmed {
 public:
  Steps(const StepOptions& options, const Horizon& horizon)
      : Warmed(options.warmup, horizon),
        every_(std::max<int64_t>(1, steps_of(options.every, horizon))),
        factor_(options.factor) {}

 private:
  double after_warmup(int64_t step) const override {
    return std::pow(factor_, static_cast<double>(step / every_));
  }
  int64_t every_;
  double factor_;
};

}  // namespace

void StepOptions::describe(Fields& f) {
  f("every", every, "epochs between two changes").above(0);
  f("factor", factor, "factor of the rate at each change").above(0);
  describe_warmup(f, warmup);
}

SchedulePtr step(const StepOptions& options, const Horizon& horizon) {
  return std::make_unique<Steps>(options, horizon);
}

}  // namespace fovea::train
