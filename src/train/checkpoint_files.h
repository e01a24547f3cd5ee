// Checkpoints as folders: written under a temporary name and renamed, verified before they are
// read.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "fovea/train/run_folder.h"

namespace fovea::train {

/// Names of numbers and texts that belong to a checkpoint besides the trainer's state.
using Notes = std::map<std::string, std::string>;

/// "step-00001250"
std::string checkpoint_name(int64_t step);

/// The committed checkpoints of `checkpoints/`, oldest first. A folder without MANIFEST.json is
/// none.
std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& folder);

/// Removes what a crash left behind (.tmp-*, .old-*); brings back a checkpoint that was about to be
/// replaced.
void tidy_checkpoints(const std::filesystem::path& folder);

/// What a checkpoint takes on the disk, but for some kilobytes.
int64_t bytes_of(const Checkpoint& checkpoint);

/// What to say where `wanted` more checkpoints of `bytes` each do not fit into `free_bytes`; ""
/// where they do.
std::string too_little_space(int64_t wanted, int64_t bytes, int64_t free_bytes);

/// Commits `checkpoint` as a folder of `folder`, in place of one of the same step. Files and
/// folders are on the disk when it returns.
std::filesystem::path write_checkpoint(const std::filesystem::path& folder,
                                       const Checkpoint& checkpoint, const Notes& notes);

/// Sizes and SHA-256 of these files against MANIFEST.json, and its step against the name of the
/// folder. A data Error names what is wrong.
void verify_files(const std::filesystem::path& folder, const std::vector<std::string>& names);

/// Verifies every file, then reads.
Checkpoint read_checkpoint(const std::filesystem::path& folder, Notes& notes);

/// Deletes all but the newest two and `best`.
void prune_checkpoints(const std::filesystem::path& folder, const std::filesystem::path& best);

}  // namespace fovea::train
