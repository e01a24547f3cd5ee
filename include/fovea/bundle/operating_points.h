// Where "positive" begins, chosen once a model is trained, on validation cases, and kept with it.
#pragma once

#include <filesystem>
#include <functional>

#include "fovea/bundle/trained.h"

namespace fovea::bundle {

/// Evaluates the best weights of a finished run on its validation cases, chooses the operating points of
/// each target by the rule of its task, and writes them into the model.json of the run. Nothing happens
/// where there are no validation cases or the task decides without a threshold.
///   progress   told after each batch
///   stop       asked before each batch
/// False where it was stopped: the model has no operating point then.
bool choose_operating_points(const std::filesystem::path& run, const sources::Source& source,
                             const torch::Device& device,
                             const std::function<void(const Batch&)>& progress = {},
                             const std::function<bool()>& stop = {});

}  // namespace fovea::bundle
