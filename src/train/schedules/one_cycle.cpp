#include "fovea/train/schedules/one_cycle.h"

#include <algorithm>

#include "train/schedules/warmed.h"

namespace fovea::train {
namespace {

class OneCycle final : public Warmed {
 public:
  OneCycle(const OneCycleOptions& options, const Horizon& horizon)
      : Warmed(options.warmup, horizon), options_(options) {}

 private:
  // The peak lies at rise * steps - 1 and the end at the last step, as in PyTorch.
  double after_warmup(int64_t step) const override {
    const double last = std::max(1.0, static_cast<double>(left_ - 1));
    const double peak = std::clamp(options_.rise * static_cast<double>(left_) - 1, 0.0, last);
    const double t = std::min(last, static_cast<double>(step - warmup_));
    if (t <= peak && peak > 0) return cosine_between(options_.start, 1, t / peak);
    return cosine_between(1, options_.end, last > peak ? (t - peak) / (last - peak) : 1);
  }
  OneCycleOptions options_;
};

}  // namespace

void OneCycleOptions::describe(Fields& f) {
  f("rise", rise, "fraction of the steps in which the rate rises").between(0, 1);
  f("start", start, "fraction of the rate at the start").above(0);
  f("end", end, "fraction of the rate at the end").at_least(0);
  describe_warmup(f, warmup);
}

SchedulePtr one_cycle(const OneCycleOptions& options, const Horizon& horizon) {
  return std::make_unique<OneCycle>(options, horizon);
}

}  // namespace fovea::train
