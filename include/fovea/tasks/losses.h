// What a model is punished for: functions of outputs and targets, summed over the batch, and what
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

/// `none`, `balanced`, or a number per class.
struct ClassWeights {
  std::string rule = "none";
  std::vector<double> values = {};  ///< where the rule is `list`
};
void read_value(const Node& node, ClassWeights& value);
Node write_value(const ClassWeights& value);
inline std::string type_name(const ClassWeights&) { return "none, balanced, or a list of numbers"; }

/// -Σ w_c t_c log softmax(x)_c. With hard targets the weight is the sum of the cases' class weights,
/// with soft ones the number of cases (as in PyTorch). `balanced` is n / (K n_c).
struct CrossEntropyOptions {
  ClassWeights class_weights = {};
  double label_smoothing = 0;  ///< t becomes (1 - s) t + s / K (Szegedy 2016)
  void describe(Fields& f);
};

/// -(w_c t log σ(x) + (1 - t) log σ(-x)); the weight is the known cells. `balanced` is negatives /
/// positives of the label.
struct BceOptions {
  ClassWeights pos_weight = {};
  void describe(Fields& f);
};

/// (1 - p_t)^γ times cross-entropy: easy cases count less (Lin 2017). Softmax where a case has one
/// class, sigmoid where it has several labels.
struct FocalOptions {
  double gamma = 2;
  std::vector<double> alpha = {};  ///< none; one: weight of positives, 1 - alpha of negatives; or K
  void describe(Fields& f);
};

LossPtr mean_squared_error(const NoOptions& options, const TargetSpec& target);
LossPtr mean_absolute_error(const NoOptions& options, const TargetSpec& target);

/// e² / 2 up to an error e of delta, beyond it delta (|e| - delta / 2).
struct HuberOptions {
  double delta = 1;
  void describe(Fields& f) {
    f("delta", delta, "where the square ends, in deviations of the training targets").above(0);
  }
};
LossPtr huber(const HuberOptions& options, const TargetSpec& target);

using LossTable = Catalogue<LossPtr(const TargetSpec&)>;
/// The table: src/tasks/losses.cpp. Making one checks that it fits the target (a config Error).
const LossTable& losses();

struct LossChoice : Choice<LossPtr(const TargetSpec&)> {
  LossChoice() : Choice(losses(), "cross_entropy") {}
};

}  // namespace fovea::tasks
