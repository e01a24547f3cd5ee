#include "fovea/tasks/multi_task.h"

#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "tasks/outcome.h"

namespace fovea::tasks {
namespace {

using torch::Tensor;

struct Part {
  std::string target;
  TaskPtr task;
  double weight = 1;
};

class MultiTaskEvaluation final : public Evaluation {
 public:
  explicit MultiTaskEvaluation(const std::vector<Part>& parts) {
    for (const Part& part : parts) parts_.emplace_back(part.target, part.task->evaluation());
  }

  void add(const TensorMap& decoded, const Batch& batch, const LossSums& loss) override {
    for (auto& [target, evaluation] : parts_) evaluation->add(decoded, batch);
    if (!loss.empty()) loss_.add(table_of(loss));
  }

  std::vector<NamedMetric> metrics() const override {
    std::vector<NamedMetric> all;
    for (const auto& [target, evaluation] : parts_)
      for (NamedMetric& metric : evaluation->metrics()) {
        if (metric.name == "loss") continue;  // of all targets together, below
        metric.name = target + "." + metric.name;
        all.push_back(std::move(metric));
      }
    all.push_back(metric_of(loss_));
    return all;
  }

  /// Those without a finite output for one target or more.
  std::vector<std::string> failed() const override {
    std::vector<std::string> all;
    for (const auto& [target, evaluation] : parts_)
      for (std::string& id : evaluation->failed())
        if (std::ranges::find(all, id) == all.end()) all.push_back(std::move(id));
    return all;
  }

  std::string write(const std::filesystem::path& folder, const std::string& split) const override {
    std::string lines;
    for (const auto& [target, evaluation] : parts_)
      lines += fmt::format("{}target={} {}", lines.empty() ? "" : "\n", target,
                           evaluation->write(folder / target, split));
    return lines;
  }

  std::vector<report::Section> sections(const report::Asked& asked) const override {
    std::vector<report::Section> all;
    for (const auto& [target, evaluation] : parts_)
      for (report::Section& section : evaluation->sections(asked)) {
        section.folder = target;
        all.push_back(std::move(section));
      }
    return all;
  }

  std::vector<ChosenPoints> choose_points(std::string_view on) const override {
    std::vector<ChosenPoints> all;
    for (const auto& [target, evaluation] : parts_)
      std::ranges::move(evaluation->choose_points(on), std::back_inserter(all));
    return all;
  }

 private:
  std::vector<std::pair<std::string, std::unique_ptr<Evaluation>>> parts_;
  LossMean loss_;
};

class MultiTask final : public Task {
 public:
  explicit MultiTask(std::vector<Part> parts) : parts_(std::move(parts)) {}

  std::vector<nn::HeadSpec> heads() const override {
    std::vector<nn::HeadSpec> all;
    for (const Part& part : parts_) std::ranges::copy(part.task->heads(), std::back_inserter(all));
    return all;
  }

  LossSums loss(const nn::Outputs& outputs, const Batch& batch) const override {
    LossSums all;
    for (const Part& part : parts_)
      for (LossSum one : part.task->loss(outputs, batch)) {
        one.share *= part.weight;
        all.push_back(std::move(one));
      }
    return all;
  }

  std::vector<Tensor> loss_weights(const Batch& batch) const override {
    std::vector<Tensor> all;
    for (const Part& part : parts_)
      std::ranges::move(part.task->loss_weights(batch), std::back_inserter(all));
    return all;
  }

  TensorMap decode(const nn::Outputs& outputs, const Batch& batch) const override {
    TensorMap all;
    for (const Part& part : parts_)
      for (const auto& [name, tensor] : part.task->decode(outputs, batch)) all[name] = tensor;
    return all;
  }

  std::vector<Answer> answers(const TensorMap& decoded, const Batch& batch,
                              int64_t row) const override {
    std::vector<Answer> all;
    for (const Part& part : parts_)
      std::ranges::move(part.task->answers(decoded, batch, row), std::back_inserter(all));
    return all;
  }

  // Entities have rows of their own; beside other answers the table has their labels alone.
  std::vector<std::string> columns() const override {
    std::vector<std::string> all;
    for (const Part& part : parts_) {
      if (std::holds_alternative<nn::PerToken>(part.task->heads().at(0).of)) {
        all.push_back(part.target + ".decision");
        continue;
      }
      for (const std::string& column : part.task->columns())
        all.push_back(part.target + "." + column);
    }
    return all;
  }

  std::vector<std::string> notes() const override {
    std::vector<std::string> all;
    for (const Part& part : parts_) std::ranges::move(part.task->notes(), std::back_inserter(all));
    return all;
  }

  std::unique_ptr<Evaluation> evaluation() const override {
    return std::make_unique<MultiTaskEvaluation>(parts_);
  }

 private:
  std::vector<Part> parts_;
};

void refuse_unknown(const std::string& target, const char* key,
                    const std::vector<TargetSpec>& targets) {
  std::vector<std::string> known;
  for (const TargetSpec& one : targets) known.push_back(one.name);
  if (std::ranges::find(known, target) == known.end())
    throw config_error(
        fmt::format("MultiTaskOptions::{}: found '{}', wanted one of the targets: {}", key, target,
                    join(known)));
}

}  // namespace

TaskPtr multi_task(const MultiTaskOptions& options, const std::vector<TargetSpec>& targets) {
  for (const auto& [name, task] : options.tasks) refuse_unknown(name, "tasks", targets);
  for (const auto& [name, weight] : options.weights) refuse_unknown(name, "weights", targets);
  std::vector<Part> parts;
  for (const TargetSpec& target : targets) {
    const TaskChoice* task = options.tasks.find(target.name);
    if (!task)
      throw config_error(
          fmt::format("MultiTaskOptions::tasks: found no task for the target '{}' of "
                      "the data",
                      target.name),
          "name one, or leave the target out of DataOptions::targets");
    const double* weight = options.weights.find(target.name);
    parts.push_back({target.name, task->make({target}), weight ? *weight : 1});
  }
  if (parts.empty())
    throw config_error("the task multi_task: the data names no target",
                       "name a column in DataOptions::targets");
  return std::make_shared<MultiTask>(std::move(parts));
}

TaskPtr for_each_target(const char* task, const std::vector<TargetSpec>& targets,
                        const std::function<TaskPtr(const TargetSpec&)>& make) {
  if (targets.empty())
    throw config_error(fmt::format("the task {}: the data names no target", task),
                       "name a column in DataOptions::targets");
  if (targets.size() == 1) return make(targets[0]);
  std::vector<Part> parts;
  for (const TargetSpec& target : targets) parts.push_back({target.name, make(target)});
  return std::make_shared<MultiTask>(std::move(parts));
}

}  // namespace fovea::tasks
