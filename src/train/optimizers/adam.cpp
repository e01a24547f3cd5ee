#include "fovea/train/optimizers/adam.h"

#include <ATen/ops/_fused_adam.h>

#include "train/optimizers/adam_like.h"

namespace fovea::train {
namespace {

class Adam final : public AdamLike<AdamOptions> {
 public:
  using AdamLike::AdamLike;

 private:
  void update(Lists& lists) override {
    apply(lists, [](auto&&... a) { at::_fused_adam_(a...); });
  }
};

}  // namespace

void AdamOptions::describe(Fields& f) {
  describe_adam(f, *this, "L2 penalty; not on normalization layers and biases");
}

OptimizerPtr adam(const AdamOptions& options, const std::vector<ParameterGroup>& groups) {
  return std::make_unique<Adam>(options, groups);
}

}  // namespace fovea::train
