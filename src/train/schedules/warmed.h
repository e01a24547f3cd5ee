// What the schedules share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/train/schedules.h"

namespace fovea::train {

/// From `from` to `to` along half a cosine, t in 0 … 1.
inline double cosine_between(double from, double to, double t) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * t)) / 2;
}

inline int64_t steps_of(double epochs, const Horizon& horizon) {
  return std::llround(epochs * static_cast<double>(horizon.steps_per_epoch));
}

/// The warm-up, and the steps that are left after it.
class Warmed : public Schedule {
 public:
  Warmed(double warmup_epochs, const Horizon& horizon)
      : warmup_(steps_of(warmup_epochs, horizon)), left_(horizon.steps() - warmup_) {
    if (warmup_epochs > 0 && left_ <= 0)
      throw config_error("TrainOptions::schedule: found a warmup of " + number(warmup_epochs) +
                             " epochs in a run of " + std::to_string(horizon.epochs) +
                             ", wanted a shorter one",
                         "lower it, or raise TrainOptions::epochs");
  }

  double factor(int64_t step) const override {
    if (step >= warmup_) return after_warmup(step);
    return after_warmup(warmup_) * static_cast<double>(step + 1) / static_cast<double>(warmup_ + 1);
  }

 protected:
  virtual double after_warmup(int64_t step) const = 0;
  /// Where `step` lies in what is left, 0 … 1.
  double progress(int64_t step, int64_t steps) const {
    return std::min(1.0, static_cast<double>(step - warmup_) /
                             static_cast<double>(std::max<int64_t>(1, steps)));
  }
  const int64_t warmup_, left_;
};

inline void describe_warmup(Fields& f, double& warmup) {
  f("warmup", warmup, "epochs in which the rate rises from near 0").at_least(0);
}

}  // namespace fovea::train
