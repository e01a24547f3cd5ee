#include "fovea/tasks/losses/cross_entropy.h"

#include <fmt/format.h>
#include <torch/nn/functional/loss.h>

#include <numeric>

#include "fovea/core/error.h"
#include "tasks/losses/of_classes.h"

namespace fovea::tasks {
namespace {

using torch::Tensor;

constexpr int64_t kUnknownClass = -1;

std::vector<double> class_weights(const ClassWeights& weights, const TargetSpec& target) {
  if (weights.rule == "list")
    check_length(weights.values, target, "CrossEntropyOptions::class_weights");
  if (weights.rule != "balanced") return weights.values;
  const auto& counts = counts_of(target, "CrossEntropyOptions::class_weights");
  const double total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), 0LL));
  std::vector<double> values;
  for (const int64_t count : counts)
    values.push_back(total / (static_cast<double>(counts.size()) * static_cast<double>(count)));
  return values;
}

class CrossEntropy final : public Loss {
 public:
  CrossEntropy(const CrossEntropyOptions& options, const TargetSpec& target)
      : smoothing_(options.label_smoothing) {
    check_classes(target, "cross_entropy");
    if (target.multi_label())
      throw config_error(
          fmt::format("target '{}' has several labels at once, cross_entropy expects "
                      "one class per case: use bce or focal",
                      target.name));
    const auto weights = class_weights(options.class_weights, target);
    if (!weights.empty()) weights_ = row_of(weights);
    note_ = note_of("class weights", options.class_weights, target, weights);
  }

  std::string note() const override { return note_; }

  LossSum operator()(const Tensor& logits, const Tensor& targets) const override {
    const Tensor weights = beside(weights_, logits);
    if (targets.is_floating_point())
      return sum_of_known(at::cross_entropy_loss(logits, targets.to(logits).nan_to_num(0), weights,
                                                 at::Reduction::None, kUnknownClass, smoothing_),
                          known_of(targets));
    return {at::cross_entropy_loss(logits, targets, weights, at::Reduction::Sum, kUnknownClass,
                                   smoothing_),
            weight(targets)};
  }

  Tensor weight(const Tensor& targets) const override {
    const Tensor known = known_of(targets);
    if (targets.is_floating_point() || !weights_.defined()) return known.sum(torch::kDouble);
    const Tensor weights = weights_.to(targets.device()).index_select(0, targets.clamp_min(0));
    return weights.masked_fill(known.logical_not(), 0).sum(torch::kDouble);
  }

 private:
  Tensor weights_;  // [K], or undefined
  double smoothing_;
  std::string note_;
};

}  // namespace

void CrossEntropyOptions::describe(Fields& f) {
  f("class_weights", class_weights, "none, balanced (n / (K n_c)), or a number per class");
  f("label_smoothing", label_smoothing, "fraction of each target that is spread over all classes")
      .at_least(0)
      .below(1);
}

LossPtr cross_entropy(const CrossEntropyOptions& options, const TargetSpec& target) {
  return std::make_shared<CrossEntropy>(options, target);
}

}  // namespace fovea::tasks
