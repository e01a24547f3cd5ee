#include "fovea/train/optimizers/adamw.h"

#include <ATen/ops/_fused_adamw.h>

#include "train/optimizers/adam_like.h"

namespace fovea::train {
namespace {

class AdamW final : public AdamLike<AdamWOptions> {
 public:
  using AdamLike::AdamLike;

 private:
  void update(Lists& lists) override {
    apply(lists, [](auto&&... a) { at::_fused_adamw_(a...); });
  }
};

}  // namespace

void AdamWOptions::describe(Fields& f) {
  describe_adam(f, *this,
                "fraction of the weight per step, times the learning rate; not on normalization "
                "layers and biases");
}

OptimizerPtr adamw(const AdamWOptions& options, const std::vector<ParameterGroup>& groups) {
  return std::make_unique<AdamW>(options, groups);
}

}  // namespace fovea::train
