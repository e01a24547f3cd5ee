#include "tasks/losses/of_classes.h"

#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/core/text.h"

namespace fovea::tasks {

using torch::Tensor;

Tensor row_of(const std::vector<double>& values) {
  return torch::tensor(values, torch::kDouble).to(torch::kFloat);
}

Tensor beside(const Tensor& weights, const Tensor& logits) {
  return weights.defined() ? weights.to(logits.device(), logits.scalar_type()) : weights;
}

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

LossSum sum_of_known(const Tensor& cells, const Tensor& known) {
  return {cells.masked_fill(known.logical_not(), 0).sum(), known.sum(torch::kDouble)};
}

std::string note_of(const char* what, const ClassWeights& weights, const TargetSpec& target,
                    const std::vector<double>& values) {
  if (weights.rule != "balanced") return "";
  std::vector<std::string> each;
  for (size_t i = 0; i < values.size(); ++i)
    each.push_back(
        fmt::format("{} {:.4g} ({} cases)", target.classes[i], values[i], target.counts[i]));
  return fmt::format("balanced {} of '{}': {}", what, target.name, join(each, ", ", 20));
}

}  // namespace fovea::tasks
