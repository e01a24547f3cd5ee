#include "fovea/tasks/regression.h"

#include <cmath>

#include "fovea/core/text.h"
#include "fovea/metrics/regression.h"
#include "fovea/report/regression.h"
#include "fovea/tasks/multi_task.h"
#include "tasks/outcome.h"

namespace fovea::tasks {
namespace {

using torch::Tensor;

class RegressionEvaluation final : public Evaluation {
 public:
  explicit RegressionEvaluation(std::string target) : target_(std::move(target)) {}

  void add(const TensorMap& decoded, const Batch& batch, const LossSums& loss) override {
    const Tensor predicted = decoded.at(target_).to(torch::kDouble).contiguous();
    const Tensor truth = batch.targets.at(target_).to(torch::kDouble).contiguous();
    for (int64_t i = 0; i < batch.size(); ++i) {
      const double target = truth.const_data_ptr<double>()[i];
      const std::string& id = batch.ids[static_cast<size_t>(i)];
      if (std::isnan(target)) {
        ++coverage_.unknown;
        continue;
      }
      if (!std::isfinite(predicted.const_data_ptr<double>()[i])) {
        coverage_.failed.push_back(id);
        continue;
      }
      note_row(coverage_, batch, i);
      numbers_.ids.push_back(id);
      numbers_.groups.push_back(batch.groups[static_cast<size_t>(i)]);
      numbers_.targets.push_back(target);
      numbers_.predicted.push_back(predicted.const_data_ptr<double>()[i]);
    }
    if (!loss.empty()) loss_.add(table_of(loss));
  }

  std::vector<NamedMetric> metrics() const override {
    std::vector<NamedMetric> all;
    for (const metrics::RegressionMetric& metric : metrics::regression_catalogue()) {
      const metrics::MetricValue value = metric.compute(numbers_);
      all.push_back({std::string(metric.name), value.value, value.why_undefined, metric.goal});
    }
    all.push_back(metric_of(loss_));
    return all;
  }

  std::vector<std::string> failed() const override { return coverage_.failed; }

  std::string write(const std::filesystem::path& folder, const std::string& split) const override {
    return report::write_regression(folder, numbers_, target_, split, coverage_);
  }

  std::vector<report::Section> sections(const report::Asked& asked) const override {
    report::Section section = report::section_of(numbers_, coverage_, asked);
    section.target = target_;
    return {std::move(section)};
  }

 private:
  std::string target_;
  metrics::Numbers numbers_;
  metrics::Coverage coverage_;
  LossMean loss_;
};

class Regression final : public Task {
 public:
  Regression(const RegressionOptions& options, TargetSpec target)
      : target_(std::move(target)), loss_(options.loss.make(target_)) {}

  std::vector<nn::HeadSpec> heads() const override { return {{target_.name, nn::Pooled{1}}}; }

  LossSums loss(const nn::Outputs& outputs, const Batch& batch) const override {
    const Tensor output = outputs.at(target_.name);
    const Tensor target = (batch.targets.at(target_.name) - target_.mean) / target_.deviation;
    return {(*loss_)(output.scalar_type() == torch::kDouble ? output : output.to(torch::kFloat),
                     target)};
  }

  std::vector<Tensor> loss_weights(const Batch& batch) const override {
    return {loss_->weight(batch.targets.at(target_.name))};
  }

  TensorMap decode(const nn::Outputs& outputs, const Batch&) const override {
    TensorMap decoded;
    decoded[target_.name] =
        outputs.at(target_.name).squeeze(1).to(torch::kDouble) * target_.deviation + target_.mean;
    return decoded;
  }

  std::vector<Answer> answers(const TensorMap& decoded, const Batch&, int64_t row) const override {
    const auto found = decoded.at(target_.name)[row].item<double>();
    if (!std::isfinite(found)) refuse_not_finite(target_.name);
    return {{.target = target_.name, .number = found, .decision = number(found)}};
  }

  std::vector<std::string> columns() const override { return {"predicted"}; }

  std::unique_ptr<Evaluation> evaluation() const override {
    return std::make_unique<RegressionEvaluation>(target_.name);
  }

 private:
  TargetSpec target_;
  LossPtr loss_;
};

}  // namespace

TaskPtr regression(const RegressionOptions& options, const std::vector<TargetSpec>& targets) {
  return for_each_target("regression", targets, [&](const TargetSpec& target) {
    return std::make_shared<Regression>(options, target);
  });
}

}  // namespace fovea::tasks
