#include "fovea/tasks/losses/bce.h"

#include <fmt/format.h>
#include <torch/nn/functional/loss.h>

#include "fovea/core/error.h"
#include "tasks/losses/of_classes.h"

namespace fovea::tasks {
namespace {

using torch::Tensor;

std::vector<double> positive_weights(const ClassWeights& weights, const TargetSpec& target) {
  if (weights.rule == "list") check_length(weights.values, target, "BceOptions::pos_weight");
  if (weights.rule != "balanced") return weights.values;
  const auto& counts = counts_of(target, "BceOptions::pos_weight");
  if (target.known.size() != counts.size())
    throw config_error(
        fmt::format("BceOptions::pos_weight: balanced needs the cases of each label of the target "
                    "'{}' whose answer is known, which are not given here",
                    target.name),
        "give a list");
  std::vector<double> values;
  for (size_t i = 0; i < counts.size(); ++i)
    values.push_back(static_cast<double>(target.known[i] - counts[i]) /
                     static_cast<double>(counts[i]));
  return values;
}

class BinaryCrossEntropy final : public Loss {
 public:
  BinaryCrossEntropy(const BceOptions& options, const TargetSpec& target) {
    check_classes(target, "bce");
    if (!target.multi_label())
      throw config_error(
          fmt::format("target '{}' has one class per case, bce expects several "
                      "labels at once: use cross_entropy or focal",
                      target.name));
    const auto weights = positive_weights(options.pos_weight, target);
    if (!weights.empty()) weights_ = row_of(weights);
    note_ = note_of("weights of the positives", options.pos_weight, target, weights);
  }

  std::string note() const override { return note_; }

  LossSum operator()(const Tensor& logits, const Tensor& targets) const override {
    const Tensor cells =
        at::binary_cross_entropy_with_logits(logits, targets.to(logits).nan_to_num(0), {},
                                             beside(weights_, logits), at::Reduction::None);
    return sum_of_known(cells, targets.isnan().logical_not());
  }

  Tensor weight(const Tensor& targets) const override {
    return targets.isnan().logical_not().sum(torch::kDouble);
  }

 private:
  Tensor weights_;
  std::string note_;
};

}  // namespace

void BceOptions::describe(Fields& f) {
  f("pos_weight", pos_weight,
    "weight of the positives of each label: none, balanced (negatives / positives), or a list");
}

LossPtr binary_cross_entropy(const BceOptions& options, const TargetSpec& target) {
  return std::make_shared<BinaryCrossEntropy>(options, target);
}

}  // namespace fovea::tasks
