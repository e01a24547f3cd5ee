// What a folder holds that a run may be written to, and how a run in it is forgotten.
#pragma once

#include <filesystem>

namespace fovea::train {

/// Whether fovea wrote the manifest.json in it: one of another program makes no run.
bool is_run(const std::filesystem::path& folder);

/// Whether nothing is in it, or nothing but a lock and what a `forget_run` that was cut off left.
bool holds_nothing(const std::filesystem::path& folder);

/// Removes what fovea writes into a run (checkpoints, bundle, evaluations and all) and nothing else;
/// folders that hold more stay with that. The parts are first moved away one by one, what answers
/// for the run first and manifest.json last: whenever this is cut off no old part stands beside a new
/// one, and it can be done again.
void forget_run(const std::filesystem::path& folder);

}  // namespace fovea::train
