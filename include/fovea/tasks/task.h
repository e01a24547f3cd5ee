// A task knows what a model's outputs mean: the heads it needs, the loss, the decoded result and
// the metrics.
#pragma once

#include <limits>
#include <memory>

#include "fovea/core/catalogue.h"
#include "fovea/data/example.h"
#include "fovea/metrics/goal.h"
#include "fovea/nn/head.h"
#include "fovea/report/section.h"
#include "fovea/tasks/answer.h"
#include "fovea/tasks/loss_sums.h"

namespace fovea::tasks {

/// One metric of an evaluation: `auc = 0.93`, or undefined with the reason.
struct NamedMetric {
  std::string name;
  double value = std::numeric_limits<double>::quiet_NaN();
  std::string why_undefined;  ///< empty when the metric is defined
  metrics::Goal goal = metrics::kHigher;
};

/// In place of a tag where the scores of a text are not finite.
inline constexpr int64_t kNotFinite = -2;

/// Operating points of one target: TargetSpec::points and TargetSpec::more_points.
struct ChosenPoints {
  std::string target;
  std::vector<metrics::OperatingPoint> points;
  std::vector<std::pair<std::string, std::vector<metrics::OperatingPoint>>> more;
};

/// Collects decoded outputs and targets over one pass and computes the metrics at its end.
class Evaluation {
 public:
  virtual ~Evaluation() = default;
  /// `decoded` as Task::decode gave it; all on the CPU. `loss` as Task::loss gave it, on any device;
  /// empty where nobody computed it.
  virtual void add(const TensorMap& decoded, const Batch& batch, const LossSums& loss = {}) = 0;
  /// All metrics in a fixed order, then `loss`; the first is the task's main metric.
  virtual std::vector<NamedMetric> metrics() const = 0;
  /// The cases whose target is known but whose output is not finite, in order. No metric but the
  /// loss counts them: it is not finite then.
  virtual std::vector<std::string> failed() const = 0;
  /// Writes metrics.json, the predictions and the plots into `folder`; returns the line of
  /// key=value metrics.
  virtual std::string write(const std::filesystem::path& folder,
                            const std::string& split) const = 0;
  /// What a report says of each target, in order; without `line`. Without sections there is metrics.json
  /// alone.
  virtual std::vector<report::Section> sections(const report::Asked&) const { return {}; }
  /// Where "positive" begins, chosen on these cases, which `on` names: for each target that is decided
  /// so. To be asked of validation cases, and kept in TargetSpec.
  virtual std::vector<ChosenPoints> choose_points(std::string_view) const { return {}; }
};

class Task {
 public:
  virtual ~Task() = default;
  virtual std::vector<nn::HeadSpec> heads() const = 0;
  /// What the outputs cost, a part per target; `loss_of` makes one number of it. Targets may be soft
  /// (mixup): float [N, classes] instead of int64 [N].
  virtual LossSums loss(const nn::Outputs& outputs, const Batch& batch) const = 0;
  /// The weights of those parts, which the targets alone decide.
  virtual std::vector<torch::Tensor> loss_weights(const Batch& batch) const = 0;
  /// Outputs -> what they mean, under the same names. Classes: probabilities [N, classes], float32
  /// (binary: two columns). A number: [N], double, in its own unit. Tags: int64 [N, L]. Where an
  /// output of a case is not finite: NaN in all its columns, a NaN, kNotFinite in all its tags. Of
  /// the batch no target is read.
  virtual TensorMap decode(const nn::Outputs& outputs, const Batch& batch) const = 0;
  /// One answer per target for case `row`; `decoded` as decode() gave it, all on the CPU. A data
  /// Error where the outputs of the case are not finite: what is not finite is not a decision.
  virtual std::vector<Answer> answers(const TensorMap& decoded, const Batch& batch,
                                      int64_t row) const = 0;
  /// The columns of a table of answers: per target its probabilities, then the decision or number;
  /// of token classification a row per entity: label, text, begin, end.
  virtual std::vector<std::string> columns() const = 0;
  virtual std::unique_ptr<Evaluation> evaluation() const = 0;
  /// What it decided from the training cases: "balanced class weights of 'label': …".
  virtual std::vector<std::string> notes() const { return {}; }
  /// The metrics that an evaluation will have, without their values: what `best:` may name.
  virtual std::vector<NamedMetric> metrics() const { return evaluation()->metrics(); }
};

using TaskPtr = std::shared_ptr<const Task>;
using TaskTable = Catalogue<TaskPtr(const std::vector<TargetSpec>&)>;
TaskTable& tasks();  ///< the table: src/tasks/tasks.cpp

struct TaskChoice : Choice<TaskPtr(const std::vector<TargetSpec>&)> {
  TaskChoice() : Choice(tasks(), "classification") {}
};

}  // namespace fovea::tasks
