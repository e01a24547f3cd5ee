#include "fovea/train/schedules/multi_step.h"

#include <algorithm>
#include <cmath>

#include "train/schedules/warmed.h"

namespace fovea::train {
namespace {

class MultiSteps final : public Warmed {
 public:
  MultiSteps(const MultiStepOptions& options, const Horizon& horizon)
      : Warmed(options.warmup, horizon), factor_(options.factor) {
    for (const double epoch : options.at) at_.push_back(steps_of(epoch, horizon));
  }

 private:
  double after_warmup(int64_t step) const override {
    const auto passed = std::ranges::count_if(at_, [=](int64_t at) { return step >= at; });
    return std::pow(factor_, static_cast<double>(passed));
  }
  std::vector<int64_t> at_;
  double factor_;
};

}  // namespace

void MultiStepOptions::describe(Fields& f) {
  f("at", at, "the epochs after which the rate changes").above(0);
  f("factor", factor, "factor of the rate at each change").above(0);
  describe_warmup(f, warmup);
}

SchedulePtr multi_step(const MultiStepOptions& options, const Horizon& horizon) {
  return std::make_unique<MultiSteps>(options, horizon);
}

}  // namespace fovea::train
