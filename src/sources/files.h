// Cases, and files of theirs on disk.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/data/dataset.h"
#include "fovea/formats/image_notes.h"
#include "fovea/sources/data_options.h"
#include "fovea/sources/source.h"
#include "fovea/storage/file.h"

namespace fovea::sources {

struct Cases {
  std::vector<std::string> ids;
  std::vector<std::string> groups;  // or empty
  std::vector<std::pair<std::string, inputs::InputPtr>> inputs;
  std::vector<targets::TargetPtr> targets = {};
  std::function<std::string(size_t)> place = {};  // of a case without a file
};

/// Reads a case when asked.
DatasetPtr case_dataset(Cases cases);

/// What tells a changed file; nothing where there is no regular file.
std::optional<storage::FileStamp> stamp_of(const std::filesystem::path& path);

/// What a folder holds, everything below it, by path. Links to folders are followed, each folder
/// once; one that leads back to where it stands is not.
struct FolderListing {
  std::vector<std::filesystem::path> files;    ///< regular ones that are not hidden, sorted
  std::vector<std::filesystem::path> folders;  ///< likewise
  std::vector<std::string> notes;              ///< links, and what was left out
};
FolderListing list_folder(const std::filesystem::path& folder);

}  // namespace fovea::sources
