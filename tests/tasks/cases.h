// Batches and outputs made by hand.
#pragma once

#include <functional>

#include "fovea/core/error.h"
#include "fovea/tasks/classification.h"

namespace fovea::tasks {

inline Batch batch_of(const std::string& target, torch::Tensor targets) {
  Batch batch;
  for (int64_t i = 0; i < targets.size(0); ++i) {
    batch.ids.push_back("case " + std::to_string(i));
    batch.groups.emplace_back();
  }
  batch.targets[target] = std::move(targets);
  return batch;
}

inline TensorMap outputs_of(const std::string& target, torch::Tensor values) {
  TensorMap outputs;
  outputs[target] = std::move(values);
  return outputs;
}

/// The loss of a batch, as a task gives it.
inline LossSums sums(double sum, double weight) {
  return {{torch::tensor(sum), torch::tensor(weight, torch::kDouble)}};
}

inline const NamedMetric& metric(const std::vector<NamedMetric>& metrics, const std::string& name) {
  return *std::ranges::find(metrics, name, &NamedMetric::name);
}

/// The message of the Error that `body` throws.
inline std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "(accepted)";
}

}  // namespace fovea::tasks
