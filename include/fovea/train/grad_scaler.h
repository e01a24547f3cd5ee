// Dynamic loss scaling for fp16 (Micikevicius 2018), which LibTorch lacks in C++: the loss is
// multiplied so that small gradients do not vanish in half precision; when one overflows, the step
// is skipped and the scale falls, and after many good steps it rises. The rule and the defaults are
// those of torch.amp.GradScaler. Works on any device without asking it anything.
#pragma once

#include <torch/types.h>

#include "fovea/train/state.h"

namespace fovea::train {

struct GradScalerOptions {
  double scale = 65536;
  double growth = 2;
  double backoff = 0.5;
  int64_t interval = 2000;  ///< good steps in a row before the scale grows
};

class GradScaler {
 public:
  explicit GradScaler(const torch::Device& device, const GradScalerOptions& options = {});

  torch::Tensor scaled(const torch::Tensor& loss) const { return loss * scale_; }

  /// Divides the gradients by the scale. Returns 1 where one of them is not finite, else 0: a float
  /// scalar on the device, what Optimizer::step takes as `skip`.
  torch::Tensor unscale(std::vector<torch::Tensor>& gradients) const;

  /// After each step, with what `unscale` returned.
  void update(const torch::Tensor& overflowed);

  double scale() const { return scale_.item<double>(); }
  void state(State& s);

 private:
  GradScalerOptions options_;
  torch::Tensor scale_;       // float scalar
  torch::Tensor good_steps_;  // int32 scalar
};

}  // namespace fovea::train
