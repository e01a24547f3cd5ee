#include "fovea/tasks/losses/focal.h"

#include <fmt/format.h>
#include <torch/nn/functional/loss.h>

#include "fovea/core/error.h"
#include "tasks/losses/of_classes.h"

namespace fovea::tasks {
namespace {

using torch::Tensor;

/// Rows of zeros where nobody knows the class.
Tensor one_hot(const Tensor& targets, const Tensor& like) {
  const Tensor index = targets.clamp_min(0).unsqueeze(1), known = (targets >= 0).unsqueeze(1);
  return torch::zeros_like(like).scatter_(1, index, known.to(like.scalar_type()));
}

class Focal final : public Loss {
 public:
  Focal(const FocalOptions& options, const TargetSpec& target)
      : gamma_(options.gamma), multi_label_(target.multi_label()) {
    check_classes(target, "focal");
    std::vector<double> positive = options.alpha, negative;
    if (positive.size() == 1) {
      if (!multi_label_ && target.classes.size() > 2)
        throw config_error(
            fmt::format("FocalOptions::alpha: one number is for two classes or several labels, and "
                        "the target '{}' has {} classes",
                        target.name, target.classes.size()),
            fmt::format("give one for each of the {} classes", target.classes.size()));
      if (multi_label_) {
        positive.assign(target.classes.size(), options.alpha[0]);
        negative.assign(target.classes.size(), 1 - options.alpha[0]);
      } else {
        positive = {1 - options.alpha[0], options.alpha[0]};
      }
    }
    if (!positive.empty()) {
      check_length(positive, target, "FocalOptions::alpha");
      positive_ = row_of(positive);
    }
    if (!negative.empty()) negative_ = row_of(negative);
  }

  LossSum operator()(const Tensor& logits, const Tensor& targets) const override {
    return multi_label_ ? of_labels(logits, targets) : of_classes(logits, targets);
  }

  Tensor weight(const Tensor& targets) const override {
    const Tensor known = multi_label_ ? targets.isnan().logical_not() : known_of(targets);
    return known.sum(torch::kDouble);
  }

 private:
  LossSum of_classes(const Tensor& logits, const Tensor& targets) const {
    const Tensor truth = targets.is_floating_point() ? targets.to(logits).nan_to_num(0)
                                                     : one_hot(targets, logits.detach());
    const Tensor log_p = logits.log_softmax(1);
    Tensor cells = -truth * (1 - log_p.exp()).clamp_min(1e-7).pow(gamma_) * log_p;
    if (positive_.defined()) cells = cells * beside(positive_, logits);
    return sum_of_known(cells.sum(1), known_of(targets));
  }

  LossSum of_labels(const Tensor& logits, const Tensor& targets) const {
    const Tensor known = targets.isnan().logical_not();
    const Tensor truth = targets.to(logits).nan_to_num(0);
    const Tensor log_p = at::log_sigmoid(logits), log_q = at::log_sigmoid(-logits);
    Tensor yes = -truth * (gamma_ * log_q).exp() * log_p;  // p^gamma through its logarithm: its
    Tensor no = -(1 - truth) * (gamma_ * log_p).exp() * log_q;  // gradient is finite at p = 0
    if (positive_.defined()) yes = yes * beside(positive_, logits);
    if (negative_.defined()) no = no * beside(negative_, logits);
    return sum_of_known(yes + no, known);
  }

  double gamma_;
  bool multi_label_;
  Tensor positive_, negative_;  // [K], or undefined
};

}  // namespace

void FocalOptions::describe(Fields& f) {
  f("gamma", gamma, "0: cross-entropy; the larger, the less easy cases count").at_least(0);
  f("alpha", alpha,
    "one number: weight of the positives, the negatives get 1 - alpha; or one per class; []: no "
    "weights")
      .between(0, 1);
}

LossPtr focal(const FocalOptions& options, const TargetSpec& target) {
  return std::make_shared<Focal>(options, target);
}

}  // namespace fovea::tasks
