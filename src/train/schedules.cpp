#include "fovea/train/schedules.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace fovea::train {
namespace {

/// From `from` to `to` along half a cosine, t in 0 … 1.
double cosine_between(double from, double to, double t) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * t)) / 2;
}

int64_t steps_of(double epochs, const Horizon& horizon) {
  return std::llround(epochs * static_cast<double>(horizon.steps_per_epoch));
}

/// What all share: the warm-up, and the steps that are left after it.
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

class Constant final : public Warmed {
 public:
  Constant(const ConstantOptions& options, const Horizon& horizon)
      : Warmed(options.warmup, horizon) {}

 private:
  double after_warmup(int64_t) const override { return 1; }
};

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

class Cosine final : public Warmed {
 public:
  Cosine(const CosineOptions& options, const Horizon& horizon)
      : Warmed(options.warmup, horizon), floor_(options.floor) {}

 private:
  double after_warmup(int64_t step) const override {
    return cosine_between(1, floor_, progress(step, left_));
  }
  double floor_;
};

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

class Plateau final : public Warmed {
 public:
  Plateau(const PlateauOptions& options, const Horizon& horizon)
      : Warmed(options.warmup, horizon), options_(options) {}

  void observe(double figure, const metrics::Goal& goal) override {
    if (goal.kind == metrics::Goal::Kind::near) {
      observe(std::abs(figure - goal.target), metrics::kLower);
      return;
    }
    // Relative to the best as PyTorch has it, by best * (1 -+ threshold); its size is what counts, or
    // of figures below 0 (a correlation) a worse one would pass.
    const double least = options_.threshold * std::abs(best_);
    const bool better =
        goal.kind == metrics::Goal::Kind::high ? figure > best_ + least : figure < best_ - least;
    if (!best_seen_ || better) {
      best_ = figure;
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

void describe_warmup(Fields& f, double& warmup) {
  f("warmup", warmup, "epochs in which the rate rises from near 0").at_least(0);
}

template <class Made>
constexpr auto maker = [](const auto& options, const Horizon& horizon) -> SchedulePtr {
  return std::make_unique<Made>(options, horizon);
};

}  // namespace

void Schedule::observe(double, const metrics::Goal&) {}
void Schedule::state(State&) {}

void ConstantOptions::describe(Fields& f) { describe_warmup(f, warmup); }

void StepOptions::describe(Fields& f) {
  f("every", every, "epochs between two changes").above(0);
  f("factor", factor, "of the rate at each change").above(0);
  describe_warmup(f, warmup);
}

void MultiStepOptions::describe(Fields& f) {
  f("at", at, "the epochs after which the rate changes").above(0);
  f("factor", factor, "of the rate at each change").above(0);
  describe_warmup(f, warmup);
}

void CosineOptions::describe(Fields& f) {
  describe_warmup(f, warmup);
  f("floor", floor, "share of the rate that is left at the end").between(0, 1);
}

void OneCycleOptions::describe(Fields& f) {
  f("rise", rise, "share of the steps in which the rate rises").between(0, 1);
  f("start", start, "share of the rate at the start").above(0);
  f("end", end, "share of the rate at the end").at_least(0);
  describe_warmup(f, warmup);
}

void PlateauOptions::describe(Fields& f) {
  f("patience", patience, "epochs without an improvement that are borne").at_least(0);
  f("factor", factor, "of the rate at each change").above(0).below(1);
  f("threshold", threshold, "smallest improvement, relative").at_least(0);
  f("cooldown", cooldown, "epochs after a change in which nothing is counted").at_least(0);
  f("floor", floor, "share of the rate below which it does not fall").between(0, 1);
  describe_warmup(f, warmup);
}

const ScheduleTable& schedules() {
  static const ScheduleTable table(
      "schedules",
      {
          ScheduleTable::item<ConstantOptions>("constant", "the same rate throughout",
                                               maker<Constant>),
          ScheduleTable::item<StepOptions>("step", "falls every so many epochs", maker<Steps>),
          ScheduleTable::item<MultiStepOptions>("multi_step", "falls after the epochs named",
                                                maker<MultiSteps>),
          ScheduleTable::item<CosineOptions>(
              "cosine", "half a cosine to the end of the run (Loshchilov and Hutter 2017)",
              maker<Cosine>),
          ScheduleTable::item<OneCycleOptions>(
              "one_cycle", "up and down again (Smith and Topin 2019); the rate is the peak",
              maker<OneCycle>),
          ScheduleTable::item<PlateauOptions>(
              "plateau", "falls when the figure that chooses the best model stands still",
              maker<Plateau>),
      });
  return table;
}

}  // namespace fovea::train
