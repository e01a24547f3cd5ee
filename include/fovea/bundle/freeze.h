// What is decided and noted once a model is trained, and travels with it: where "positive" begins, and what the
// training cases looked like.
#pragma once

#include <filesystem>
#include <functional>

#include "fovea/bundle/trained.h"

namespace fovea::bundle {

/// Cases of the training split that are read for the profile of their images, texts and series, evenly spaced.
inline constexpr int64_t kProfiledCases = 1000;

struct FreezeOptions {
  std::function<void(int64_t cases)> progress = {};  ///< told how many cases more are done
  std::function<bool()> stop = {};                   ///< asked again and again
};

/// Evaluates the best weights of a finished run on its validation cases (where there are any and the task
/// decides by a threshold), chooses the operating points of each target by the rule of its task, profiles the
/// training cases, and writes both into the model.json of the run. False where it was stopped: nothing is
/// written then.
bool freeze(const std::filesystem::path& run, const sources::Source& source,
            const torch::Device& device, const FreezeOptions& options = {});

/// How many cases that goes over.
int64_t cases_to_freeze(const sources::Source& source);

}  // namespace fovea::bundle
