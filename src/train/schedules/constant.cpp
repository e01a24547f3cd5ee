#include "fovea/train/schedules/constant.h"

#include "train/schedules/warmed.h"

namespace fovea::train {
namespace {

class Constant final : public Warmed {
 public:
  Constant(const ConstantOptions& options, const Horizon& horizon)
      : Warmed(options.warmup, horizon) {}

 private:
  double after_warmup(int64_t) const override { return 1; }
};

}  // namespace

void ConstantOptions::describe(Fields& f) { describe_warmup(f, warmup); }

SchedulePtr constant(const ConstantOptions& options, const Horizon& horizon) {
  return std::make_unique<Constant>(options, horizon);
}

}  // namespace fovea::train
