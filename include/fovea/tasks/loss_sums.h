// Losses as sums. The loss of a set is the sum over the set divided by the sum of the weights,
// whatever the batches; a mean of the batches' means is another number as soon as they differ in
// size, in class weights, or in what is known of them.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::tasks {

/// What one target of a batch costs. Both are scalars on the outputs' device.
struct LossSum {
  torch::Tensor sum;     ///< float32 (double where the outputs are), differentiable
  torch::Tensor weight;  ///< double: what `sum` is divided by, such as the number of known cases
  double share = 1;      ///< of this target in the loss of the task

  /// sum / weight; 0, with gradient 0, where nothing of the batch has weight.
  torch::Tensor mean() const;
};
/// A part per target.
using LossSums = std::vector<LossSum>;

/// Σ share · sum / weight. `weights`: those to divide by where they are not the parts' own, because
/// several batches make one step.
torch::Tensor loss_of(const LossSums& parts, const std::vector<torch::Tensor>& weights = {});

/// [parts, 3] double on the parts' device, without gradient: sum, weight, share. The first two
/// columns of several batches add up.
torch::Tensor table_of(const LossSums& parts);

/// The loss of many batches, on the host.
class LossMean {
 public:
  LossMean() = default;
  /// `table`: as `table_of` gives it, on any device.
  explicit LossMean(torch::Tensor table);
  void add(const torch::Tensor& table);

  /// Σ share · Σ sums / Σ weights over the parts that have weight; NaN where none has.
  double value() const;
  /// Empty where `value` is a number.
  std::string why_undefined() const;
  const torch::Tensor& table() const { return table_; }  ///< undefined before the first `add`

 private:
  torch::Tensor table_;
};

}  // namespace fovea::tasks
