// Decoded pictures on disk: an .npy for each file, named by a hash of all that decides its content
// (path, size, modification time, settings). A changed file has another name; the folder may be
// deleted at any time.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fovea/sources/formats.h"
#include "fovea/storage/file.h"

namespace fovea::sources {

class DecodedCache {
 public:
  /// An empty `folder` keeps nothing.
  DecodedCache(const std::filesystem::path& folder, const std::filesystem::path& file,
               const storage::FileStamp& stamp, int64_t channels, const FormatOptions& options);

  /// Nothing where it was not kept, or what is there is damaged.
  std::optional<torch::Tensor> find() const;
  /// What its reader noted: one a line of a text beside it.
  std::vector<std::string> notes() const;
  /// uint8 and float32. A folder that cannot be written to is said once in the log.
  void keep(const torch::Tensor& tensor, const std::vector<std::string>& notes) const;

 private:
  std::filesystem::path place_;
};

}  // namespace fovea::sources
