#include "fovea/train/schedules/plateau.h"

#include <algorithm>
#include <cmath>

#include "train/schedules/warmed.h"

namespace fovea::train {
namespace {

class Plateau final : public Warmed {
 public:
  Plateau(const PlateauOptions& options, const Horizon& horizon)
      : Warmed(options.warmup, horizon), options_(options) {}

  void observe(double metric, const metrics::Goal& goal) override {
    if (goal.type == metrics::Goal::Type::near) {
      observe(std::abs(metric - goal.target), metrics::kLower);
      return;
    }
    // Relative to the best as PyTorch has it, by best * (1 -+ threshold); its size is what counts, or
    // of values below 0 (a correlation) a worse one would pass.
    const double least = options_.threshold * std::abs(best_);
    const bool better =
        goal.type == metrics::Goal::Type::high ? metric > best_ + least : metric < best_ - least;
    if (!best_seen_ || better) {
      best_ = metric;
      best_seen_ = true;
      bad_epochs_ = 0;
    } else {
      ++bad_epochs_;
    }
    if (cooldown_ > 0) {
      --cooldown_;
      bad_epochs_ = 0;
    }
    if (bad_epochs_ <= options_.patience) return;
    factor_ = std::max(options_.floor, factor_ * options_.factor);
    cooldown_ = options_.cooldown;
    bad_epochs_ = 0;
  }

  void state(State& s) override {
    s("factor", factor_);
    s("best", best_);
    s("best_seen", best_seen_);
    s("bad_epochs", bad_epochs_);
    s("cooldown", cooldown_);
  }

 private:
  double after_warmup(int64_t) const override { return factor_; }

  PlateauOptions options_;
  double factor_ = 1;
  double best_ = 0;
  bool best_seen_ = false;
  int64_t bad_epochs_ = 0;
  int64_t cooldown_ = 0;
};

}  // namespace

void PlateauOptions::describe(Fields& f) {
  f("patience", patience, "epochs without improvement that are tolerated").at_least(0);
  f("factor", factor, "factor of the rate at each change").above(0).below(1);
  f("threshold", threshold, "smallest relative improvement that counts").at_least(0);
  f("cooldown", cooldown, "epochs after a change in which nothing is counted").at_least(0);
  f("floor", floor, "fraction of the rate below which it does not fall").between(0, 1);
  describe_warmup(f, warmup);
}

SchedulePtr plateau(const PlateauOptions& options, const Horizon& horizon) {
  return std::make_unique<Plateau>(options, horizon);
}

}  // namespace fovea::train
