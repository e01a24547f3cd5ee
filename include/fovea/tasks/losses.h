// What a model is penalised for: functions of outputs and targets, summed over the batch, and what
// the sum is to be divided by.
#pragma once

#include <torch/types.h>

#include "fovea/core/catalogue.h"
#include "fovea/data/example.h"
#include "fovea/tasks/loss_sums.h"

namespace fovea::tasks {

/// logits [N, K] float32 -> a sum and its weight.
///   one class per case     targets int64 [N], -1 where nobody knows; or soft: float [N, K], rows
///                          that sum to 1, NaN where nobody knows
///   several labels at once  targets float [N, K] in 0 … 1, NaN where nobody knows: that cell does
///                           not count
///   a number                K is 1; both in deviations from the mean of the training cases, targets
///                           float [N], NaN where nobody knows
/// What nobody knows counts neither in the sum nor in the weight.
class Loss {
 public:
  virtual ~Loss() = default;
  virtual LossSum operator()(const torch::Tensor& logits, const torch::Tensor& targets) const = 0;
  /// What it decided from the training cases, for whoever reads the log; "" where nothing.
  virtual std::string note() const { return ""; }
  /// The weight alone: a scalar, double.
  virtual torch::Tensor weight(const torch::Tensor& targets) const = 0;
};
using LossPtr = std::shared_ptr<const Loss>;

using LossTable = Catalogue<LossPtr(const TargetSpec&)>;
/// The table: src/tasks/losses.cpp, settings: losses/. Making one checks that it fits the target (a
/// config Error).
LossTable& losses();

struct LossChoice : Choice<LossPtr(const TargetSpec&)> {
  LossChoice() : Choice(losses(), "cross_entropy") {}
};

}  // namespace fovea::tasks
