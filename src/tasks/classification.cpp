#include "fovea/tasks/classification.h"

#include <fmt/format.h>

#include <cmath>

#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/predictions.h"
#include "fovea/report/evaluation.h"
#include "fovea/tasks/multi_task.h"
#include "tasks/outcome.h"

namespace fovea::tasks {
namespace {

using torch::Tensor;

metrics::Mode mode_of(const TargetSpec& target) {
  if (target.multi_label()) return metrics::Mode::multilabel;
  return target.classes.size() == 2 ? metrics::Mode::binary : metrics::Mode::multiclass;
}

metrics::Predictions no_predictions(const TargetSpec& target) {
  metrics::Predictions empty;
  empty.points = target.points;
  empty.mode = mode_of(target);
  empty.classes = target.classes;
  return empty;
}

void append(metrics::Predictions& to, metrics::Coverage& coverage, const Tensor& probabilities,
            const Tensor& targets, const Batch& batch) {
  const Tensor p = probabilities.to(torch::kDouble).contiguous();
  const Tensor t = targets.to(torch::kDouble).contiguous();
  const int64_t width = p.size(1), answers = t.dim() == 1 ? 1 : t.size(1);
  for (int64_t i = 0; i < batch.size(); ++i) {
    const double* label = t.const_data_ptr<double>() + i * answers;
    const double* row = p.const_data_ptr<double>() + i * width;
    const std::string& id = batch.ids[static_cast<size_t>(i)];
    // -1 is the class, NaN the label that nobody knows.
    if (std::none_of(label, label + answers, [](double known) { return known >= 0; })) {
      ++coverage.unknown;
      continue;
    }
    if (std::any_of(row, row + width, [](double one) { return std::isnan(one); })) {
      coverage.failed.push_back(id);
      continue;
    }
    note_row(coverage, batch, i);
    to.ids.push_back(id);
    to.groups.push_back(batch.groups[static_cast<size_t>(i)]);
    to.probabilities.insert(to.probabilities.end(), row, row + width);
    for (int64_t k = 0; k < answers; ++k)
      to.labels.push_back(std::isnan(label[k]) ? metrics::kUnknown : static_cast<int>(label[k]));
  }
}

/// Data without any patient has no groups, rather than empty names.
metrics::Predictions tidy(metrics::Predictions predictions) {
  if (std::ranges::all_of(predictions.groups, &std::string::empty)) predictions.groups.clear();
  return predictions;
}

class ClassificationEvaluation final : public Evaluation {
 public:
  ClassificationEvaluation(const TargetSpec& target, const metrics::PointRule& rule)
      : target_(target), rule_(rule), predictions_(no_predictions(target)) {}

  void add(const TensorMap& decoded, const Batch& batch, const LossSums& loss) override {
    append(predictions_, coverage_, decoded.at(target_.name), batch.targets.at(target_.name),
           batch);
    if (!loss.empty()) loss_.add(table_of(loss));
  }

  std::vector<NamedMetric> metrics() const override {
    std::vector<NamedMetric> all;
    const bool any = predictions_.cases() > 0;
    const auto scored = any ? metrics::score(predictions_) : metrics::Scored{};
    for (const metrics::Metric& metric : metrics::catalogue()) {
      if (!metric.applies(predictions_.mode)) continue;
      const metrics::MetricValue value =
          any ? metric(scored) : metrics::MetricValue::undefined("no case was evaluated");
      all.push_back({std::string(metric.name), value.value, value.why_undefined, metric.goal});
    }
    all.push_back(metric_of(loss_));
    return all;
  }

  std::vector<std::string> failed() const override { return coverage_.failed; }

  std::string write(const std::filesystem::path& folder, const std::string& split) const override {
    return report::write_evaluation(folder, tidy(predictions_),
                                    {.split = split, .coverage = coverage_});
  }

  std::vector<report::Section> sections(const report::Asked& asked) const override {
    report::Section section = report::section_of(tidy(predictions_), coverage_, asked);
    section.target = target_.name;
    if (predictions_.cases() > 0 && !target_.more_points.empty())
      section.tables.insert(section.tables.begin(),
                            report::at_other_points(predictions_, target_.more_points));
    return {std::move(section)};
  }

  std::vector<ChosenPoints> choose_points(std::string_view on) const override {
    if (predictions_.mode == metrics::Mode::multiclass) return {};
    const metrics::Scored scored = metrics::score(predictions_);
    const auto points = [&](const metrics::PointRule& rule) {
      std::vector<metrics::OperatingPoint> chosen;
      for (const metrics::Question& question : scored.questions)
        chosen.push_back(metrics::choose_point(question.ranking, rule, on));
      return chosen;
    };
    ChosenPoints all{target_.name, points(rule_), {}};
    using Type = metrics::PointRule::Type;
    for (const Type type : {Type::sensitivity, Type::specificity})
      for (const double wanted : {0.9, 0.95, 0.99}) {
        const metrics::PointRule rule{type, wanted};
        all.more.emplace_back(words(rule), points(rule));
      }
    return {all};
  }

 private:
  TargetSpec target_;
  metrics::PointRule rule_;
  metrics::Predictions predictions_;
  metrics::Coverage coverage_;
  LossMean loss_;
};

class Classification final : public Task {
 public:
  Classification(const ClassificationOptions& options, const TargetSpec& target)
      : target_(target), rule_(options.operating_point) {
    const size_t least = target.multi_label() ? 1 : 2;
    if (target.type != "classes" && !target.multi_label())
      throw config_error(
          fmt::format("classification: target '{}' is of the type '{}', wanted classes or labels",
                      target.name, target.type),
          target.type == "number" ? "take the task regression"
          : target.type == "tags" ? "take the task token_classification"
                                  : "take a task that is about such targets");
    if (target.classes.size() < least)
      throw config_error(
          fmt::format("classification: target '{}' has {} classes ({}), wanted at least {}",
                      target.name, target.classes.size(), join(target.classes), least));
    LossChoice loss;
    if (target.multi_label()) loss.select("bce");
    loss_ = (options.loss ? *options.loss : loss).make(target);
  }

  std::vector<nn::HeadSpec> heads() const override {
    return {{target_.name, nn::Pooled{static_cast<int64_t>(target_.classes.size())}}};
  }

  LossSums loss(const nn::Outputs& outputs, const Batch& batch) const override {
    const Tensor logits = outputs.at(target_.name);
    return {(*loss_)(logits.scalar_type() == torch::kDouble ? logits : logits.to(torch::kFloat),
                     batch.targets.at(target_.name))};
  }

  std::vector<Tensor> loss_weights(const Batch& batch) const override {
    return {loss_->weight(batch.targets.at(target_.name))};
  }

  TensorMap decode(const nn::Outputs& outputs, const Batch&) const override {
    const Tensor logits = outputs.at(target_.name).to(torch::kFloat);
    const Tensor probabilities = target_.multi_label() ? logits.sigmoid() : logits.softmax(1);
    // The sigmoid of infinity is a number, and a softmax beside it is one of certainty.
    const Tensor finite = logits.isfinite().all(1, /*keepdim=*/true);
    TensorMap decoded;
    decoded[target_.name] = probabilities.masked_fill(finite.logical_not(), NAN);
    return decoded;
  }

  std::vector<Answer> answers(const TensorMap& decoded, const Batch&, int64_t row) const override {
    const Tensor probabilities = decoded.at(target_.name)[row].to(torch::kDouble).contiguous();
    const double* p = probabilities.const_data_ptr<double>();
    const std::vector<std::string>& classes = target_.classes;
    if (std::any_of(p, p + classes.size(), [](double one) { return std::isnan(one); }))
      refuse_not_finite(target_.name);
    const metrics::Predictions decided = no_predictions(target_);
    const auto called = [&](size_t k) {
      return p[k] >= decided.point(target_.multi_label() ? k : 0).threshold;
    };
    Answer answer{.target = target_.name};
    for (size_t k = 0; k < classes.size(); ++k) answer.probabilities.emplace_back(classes[k], p[k]);
    if (target_.multi_label()) {
      for (size_t k = 0; k < classes.size(); ++k)
        if (called(k)) answer.decision += (answer.decision.empty() ? "" : "|") + classes[k];
    } else if (classes.size() == 2) {
      answer.decision = classes[called(1)];
    } else {
      answer.decision = classes[static_cast<size_t>(std::max_element(p, p + classes.size()) - p)];
    }
    return {answer};
  }

  std::vector<std::string> columns() const override {
    std::vector<std::string> columns;
    for (const std::string& name : target_.classes) columns.push_back("p_" + name);
    columns.emplace_back("decision");
    return columns;
  }

  std::vector<std::string> notes() const override {
    const std::string note = loss_->note();
    return note.empty() ? std::vector<std::string>{} : std::vector{note};
  }

  std::unique_ptr<Evaluation> evaluation() const override {
    return std::make_unique<ClassificationEvaluation>(target_, rule_);
  }

 private:
  TargetSpec target_;
  metrics::PointRule rule_;
  LossPtr loss_;
};

}  // namespace

TaskPtr classification(const ClassificationOptions& options,
                       const std::vector<TargetSpec>& targets) {
  return for_each_target("classification", targets, [&](const TargetSpec& target) {
    return std::make_shared<Classification>(options, target);
  });
}

}  // namespace fovea::tasks
