// Cases that are files on disk, one or several for each case.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/data/dataset.h"
#include "fovea/sources/data_options.h"
#include "fovea/storage/file.h"

namespace fovea::sources {

/// One input of all cases.
struct FileInput {
  std::string name;
  int64_t channels = 0;
  std::vector<std::filesystem::path> files;  // of each case
  std::vector<storage::FileStamp> stamps;    // when they were listed
};

struct FileCases {
  std::vector<std::string> ids;
  std::vector<std::string> groups;  // or empty
  std::vector<FileInput> inputs;
  TensorMap targets;  // of all cases: [N] or [N, L]
};

/// Decodes when asked. A file that changed since it was listed is an io Error.
DatasetPtr file_dataset(FileCases cases, const DataOptions& options);

/// What tells a changed file; nothing where there is no regular file.
std::optional<storage::FileStamp> stamp_of(const std::filesystem::path& path);

/// One file as a tensor, from the cache folder where it is there.
torch::Tensor read_tensor(const std::filesystem::path& path, int64_t channels,
                          const DataOptions& options,
                          const std::optional<storage::FileStamp>& listed = {});

/// The regular files below a folder that are not hidden, sorted; links to folders are not followed.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

/// Why a file is no picture: "no known format", or what dicom says of an object without pixels;
/// empty where it is one, or a damaged one.
std::string why_no_picture(const std::filesystem::path& path);

}  // namespace fovea::sources
