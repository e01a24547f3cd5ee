#include "fovea/tasks/losses.h"

#include <fmt/format.h>
#include <torch/nn/functional/loss.h>

#include <numeric>

namespace fovea::tasks {
namespace {

using torch::Tensor;

constexpr int64_t kUnknownClass = -1;

Tensor row_of(const std::vector<double>& values) {
  return torch::tensor(values, torch::kDouble).to(torch::kFloat);
}

/// The weights stay on the CPU until a batch comes from elsewhere; then they move once.
Tensor beside(const Tensor& weights, const Tensor& logits) {
  return weights.defined() ? weights.to(logits.device(), logits.scalar_type()) : weights;
}

/// Rows of zeros where nobody knows the class.
Tensor one_hot(const Tensor& targets, const Tensor& like) {
  const Tensor index = targets.clamp_min(0).unsqueeze(1), known = (targets >= 0).unsqueeze(1);
  return torch::zeros_like(like).scatter_(1, index, known.to(like.scalar_type()));
}

/// [N] bool: which cases have a class, of indices (-1: none) or soft targets (NaN: none).
Tensor known_of(const Tensor& targets) {
  return targets.is_floating_point() ? targets.isnan().any(1).logical_not() : targets >= 0;
}

void check_classes(const TargetSpec& target, const char* loss) {
  if (target.type == "number")
    throw config_error(fmt::format(
        "target '{}' is a number, {} expects classes: use mse, mae or huber", target.name, loss));
}

void check_length(const std::vector<double>& values, const TargetSpec& target, const char* field) {
  if (values.size() != target.classes.size())
    throw config_error(fmt::format(
        "{} has {} numbers, wanted {}: one for each class of the target '{}': {}", field,
        values.size(), target.classes.size(), target.name, join(target.classes, ", ", 8)));
}

/// The training cases of each class; balanced weights need all of them above 0.
const std::vector<int64_t>& counts_of(const TargetSpec& target, const char* field) {
  if (target.counts.size() != target.classes.size())
    throw config_error(fmt::format("{}: balanced needs the training cases of each class of the "
                                   "target '{}', which are not known here",
                                   field, target.name),
                       "give a list");
  for (size_t i = 0; i < target.counts.size(); ++i)
    if (target.counts[i] == 0)
      throw config_error(
          fmt::format("{}: balanced, but no training case has '{}' of the target '{}'", field,
                      target.classes[i], target.name),
          "give a list, or leave the class out");
  return target.counts;
}

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

/// The cells whose target is known.
LossSum sum_of_known(const Tensor& cells, const Tensor& known) {
  return {cells.masked_fill(known.logical_not(), 0).sum(), known.sum(torch::kDouble)};
}

/// "balanced class weights of 'label': normal 0.6 (100 cases), ill 3 (20 cases)"
std::string note_of(const char* what, const ClassWeights& weights, const TargetSpec& target,
                    const std::vector<double>& values) {
  if (weights.rule != "balanced") return "";
  std::vector<std::string> each;
  for (size_t i = 0; i < values.size(); ++i)
    each.push_back(
        fmt::format("{} {:.4g} ({} cases)", target.classes[i], values[i], target.counts[i]));
  return fmt::format("balanced {} of '{}': {}", what, target.name, join(each, ", ", 20));
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

template <class Made>
constexpr auto maker = [](const auto& options, const TargetSpec& target) -> LossPtr {
  return std::make_shared<Made>(options, target);
};

}  // namespace

void read_value(const Node& node, ClassWeights& value) {
  value.values.clear();
  if (node.kind == Node::Kind::list) {
    value.rule = "list";
    fovea::read_value(node, value.values);
    for (const double weight : value.values)
      if (weight < 0)
        throw config_error(place(node) + "found " + number(weight) + ", wanted at least 0");
    return;
  }
  fovea::read_value(node, value.rule);
  if (value.rule != "none" && value.rule != "balanced")
    throw config_error(place(node) + "found '" + value.rule +
                       "', wanted none, balanced, or a list with a number per class");
}

Node write_value(const ClassWeights& value) {
  return value.rule == "list" ? fovea::write_value(value.values) : fovea::write_value(value.rule);
}

void CrossEntropyOptions::describe(Fields& f) {
  f("class_weights", class_weights, "none, balanced (n / (K n_c)), or a number per class");
  f("label_smoothing", label_smoothing, "share of each target that is spread over all classes")
      .at_least(0)
      .below(1);
}

void BceOptions::describe(Fields& f) {
  f("pos_weight", pos_weight,
    "weight of the positives of each label: none, balanced (negatives / positives), or a list");
}

void FocalOptions::describe(Fields& f) {
  f("gamma", gamma, "0 is cross-entropy; the larger, the less easy cases count").at_least(0);
  f("alpha", alpha,
    "one: weight of the positives, the negatives get 1 - alpha; or one per class; [] is none")
      .between(0, 1);
}

const LossTable& losses() {
  static const LossTable table(
      "losses",
      {
          LossTable::item<CrossEntropyOptions>(
              "cross_entropy", "one class per case; softmax and negative log likelihood",
              maker<CrossEntropy>),
          LossTable::item<BceOptions>("bce", "several labels at once; sigmoid and log likelihood",
                                      maker<BinaryCrossEntropy>),
          LossTable::item<FocalOptions>("focal", "easy cases count less (Lin 2017); for both",
                                        maker<Focal>),
          LossTable::item<NoOptions>("mse", "of a number: the squared error", mean_squared_error),
          LossTable::item<NoOptions>("mae", "of a number: the absolute error", mean_absolute_error),
          LossTable::item<HuberOptions>(
              "huber", "of a number: squared near the truth, absolute beyond (Huber 1964)", huber),
      });
  return table;
}

}  // namespace fovea::tasks
