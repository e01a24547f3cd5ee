// One pass over data without learning.
#pragma once

#include <functional>
#include <memory>

#include "fovea/data/loader.h"
#include "fovea/nn/model.h"
#include "fovea/tasks/task.h"
#include "fovea/train/precision.h"

namespace fovea::train {

struct EvaluateOptions {
  torch::Device device = torch::kCPU;
  Precision precision = Precision::fp32;
  bool channels_last = true;
  std::function<void(const Batch&)> progress;  ///< told after each batch
  std::function<bool()> stop;                  ///< asked before each batch
  /// Told what was decoded of each batch, both on the CPU.
  std::function<void(const TensorMap& decoded, const Batch& batch)> decoded = {};
};

/// Runs the model, as it is on `device`, over every case of the loader, and collects. The model is
/// in evaluation mode meanwhile. Null where `stop` said so before the end.
std::unique_ptr<tasks::Evaluation> evaluate(nn::Model& model, const tasks::Task& task,
                                            const Loader& loader,
                                            const EvaluateOptions& options = {});

}  // namespace fovea::train
