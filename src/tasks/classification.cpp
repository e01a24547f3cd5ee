#include "fovea/tasks/classification.h"

#include <fmt/format.h>

#include <cmath>

#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/predictions.h"
#include "fovea/report/evaluation.h"

namespace fovea::tasks {
namespace {

using torch::Tensor;

metrics::Mode mode_of(const TargetSpec& target) {
  if (target.multi_label) return metrics::Mode::multilabel;
  return target.classes.size() == 2 ? metrics::Mode::binary : metrics::Mode::multiclass;
}

metrics::Predictions no_predictions(const TargetSpec& target) {
  metrics::Predictions empty;
  empty.mode = mode_of(target);
  empty.classes = target.classes;
  return empty;
}

void append(metrics::Predictions& to, const Tensor& probabilities, const Tensor& targets,
            const Batch& batch) {
  to.ids.insert(to.ids.end(), batch.ids.begin(), batch.ids.end());
  to.groups.insert(to.groups.end(), batch.groups.begin(), batch.groups.end());
  const Tensor p = probabilities.to(torch::kDouble).contiguous();
  to.probabilities.insert(to.probabilities.end(), p.const_data_ptr<double>(),
                          p.const_data_ptr<double>() + p.numel());
  const Tensor t = targets.to(torch::kDouble).contiguous();
  for (int64_t i = 0; i < t.numel(); ++i) {
    const double label = t.const_data_ptr<double>()[i];
    to.labels.push_back(std::isnan(label) ? metrics::kUnknown : static_cast<int>(label));
  }
}

/// Data without any patient has no groups, rather than empty names.
metrics::Predictions tidy(metrics::Predictions predictions) {
  if (std::ranges::all_of(predictions.groups, &std::string::empty)) predictions.groups.clear();
  return predictions;
}

class ClassificationEvaluation final : public Evaluation {
 public:
  explicit ClassificationEvaluation(const std::vector<TargetSpec>& targets) : targets_(targets) {
    for (const TargetSpec& target : targets_) predictions_.push_back(no_predictions(target));
  }

  void add(const TensorMap& decoded, const Batch& batch, double loss) override {
    for (size_t i = 0; i < targets_.size(); ++i)
      append(predictions_[i], decoded.at(targets_[i].name), batch.targets.at(targets_[i].name),
             batch);
    loss_sum_ += loss * static_cast<double>(batch.size());
    cases_ += batch.size();
  }

  std::vector<NamedFigure> figures() const override {
    std::vector<NamedFigure> all;
    for (size_t i = 0; i < targets_.size(); ++i) {
      const std::string prefix = targets_.size() > 1 ? targets_[i].name + "." : "";
      const metrics::Mode mode = predictions_[i].mode;
      const auto scored = cases_ > 0 ? metrics::score(predictions_[i]) : metrics::Scored{};
      for (const metrics::Metric& metric : metrics::catalogue()) {
        if (!metric.applies(mode)) continue;
        const metrics::Figure figure =
            cases_ > 0 ? metric(scored) : metrics::Figure::undefined("no case was evaluated");
        all.push_back({prefix + std::string(metric.name), figure.value, figure.why_undefined,
                       metric.higher_is_better});
      }
    }
    all.push_back(mean_loss());
    return all;
  }

  std::string write(const std::filesystem::path& folder, const std::string& split) const override {
    std::string line;
    for (size_t i = 0; i < targets_.size(); ++i) {
      const bool alone = targets_.size() == 1;
      const std::string figures = report::write_evaluation(
          alone ? folder : folder / targets_[i].name, tidy(predictions_[i]), {.split = split});
      line += alone ? figures
                    : fmt::format("{}target={} {}", i > 0 ? "\n" : "", targets_[i].name, figures);
    }
    return line;
  }

 private:
  NamedFigure mean_loss() const {
    NamedFigure figure{.name = "loss", .why_undefined = "", .higher_is_better = false};
    if (cases_ > 0) figure.value = loss_sum_ / static_cast<double>(cases_);
    if (!std::isfinite(figure.value))
      figure.why_undefined = cases_ > 0 ? "not finite, or not computed" : "no case was evaluated";
    return figure;
  }

  std::vector<TargetSpec> targets_;
  std::vector<metrics::Predictions> predictions_;  // per target
  double loss_sum_ = 0;
  int64_t cases_ = 0;
};

class Classification final : public Task {
 public:
  Classification(const ClassificationOptions& options, const std::vector<TargetSpec>& targets)
      : targets_(targets) {
    if (targets_.empty())
      throw config_error("classification: the data names no target; name a label column");
    for (const TargetSpec& target : targets_) {
      const size_t least = target.multi_label ? 1 : 2;
      if (target.classes.size() < least)
        throw config_error(
            fmt::format("classification: target '{}' has {} classes ({}), wanted at "
                        "least {}",
                        target.name, target.classes.size(), join(target.classes), least));
      LossChoice loss;
      if (target.multi_label) loss.select("bce");
      losses_.push_back((options.loss ? *options.loss : loss).make(target));
    }
  }

  std::vector<nn::HeadSpec> heads() const override {
    std::vector<nn::HeadSpec> specs;
    for (const TargetSpec& target : targets_)
      specs.push_back({target.name, static_cast<int64_t>(target.classes.size())});
    return specs;
  }

  Tensor loss(const TensorMap& outputs, const Batch& batch) const override {
    Tensor sum;
    for (size_t i = 0; i < targets_.size(); ++i) {
      const std::string& name = targets_[i].name;
      const Tensor logits = outputs.at(name);
      const Tensor one =
          (*losses_[i])(logits.scalar_type() == torch::kDouble ? logits : logits.to(torch::kFloat),
                        batch.targets.at(name));
      sum = sum.defined() ? sum + one : one;
    }
    return sum;
  }

  TensorMap decode(const TensorMap& outputs) const override {
    TensorMap decoded;
    for (const TargetSpec& target : targets_) {
      const Tensor logits = outputs.at(target.name).to(torch::kFloat);
      decoded[target.name] = target.multi_label ? logits.sigmoid() : logits.softmax(1);
    }
    return decoded;
  }

  std::unique_ptr<Evaluation> evaluation() const override {
    return std::make_unique<ClassificationEvaluation>(targets_);
  }

 private:
  std::vector<TargetSpec> targets_;
  std::vector<LossPtr> losses_;  // per target
};

}  // namespace

TaskPtr classification(const ClassificationOptions& options,
                       const std::vector<TargetSpec>& targets) {
  return std::make_shared<Classification>(options, targets);
}

}  // namespace fovea::tasks
