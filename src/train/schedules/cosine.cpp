#include "fovea/train/schedules/cosine.h"

#include "train/schedules/warmed.h"

namespace fovea::train {
namespace {

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

}  // namespace

void CosineOptions::describe(Fields& f) {
  describe_warmup(f, warmup);
  f("floor", floor, "fraction of the rate that is left at the end").between(0, 1);
}

SchedulePtr cosine(const CosineOptions& options, const Horizon& horizon) {
  return std::make_unique<Cosine>(options, horizon);
}

}  // namespace fovea::train
