// Cases, and files of theirs on disk.
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

struct Cases {
  std::vector<std::string> ids;
  std::vector<std::string> groups;  // or empty
  std::vector<std::pair<std::string, InputPtr>> inputs;
  std::vector<TargetSpec> specs = {};
  TensorMap targets = {};  // of all cases: [N] or [N, L]
  std::vector<std::pair<std::string, std::vector<torch::Tensor>>> tags = {};  // of each case: [L]
  std::function<std::string(size_t)> place = {};  // of a case without a file
};

/// Reads a case when asked.
DatasetPtr case_dataset(Cases cases);

/// One picture per case, decoded when asked. A file that changed since it was listed is an io Error.
InputPtr file_input(std::vector<ListedFile> files, const ImageOptions& image,
                    const DataOptions& options);

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
