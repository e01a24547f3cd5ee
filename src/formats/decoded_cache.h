// Decoded images on disk: an .npy for each file, named by a hash of all that decides its content
// (path, size, modification time, settings). A changed file has another name; the folder may be
// deleted at any time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fovea/formats/placed_image.h"

namespace fovea::formats {

class DecodedCache {
 public:
  /// An empty `folder` keeps nothing.
  DecodedCache(const std::filesystem::path& folder, const std::filesystem::path& file,
               const storage::FileStamp& stamp, int64_t channels, const FormatOptions& options);

  /// Nothing where it was not kept, or what is there is damaged.
  /// `notes`: what its reader noted.
  std::optional<PlacedImage> find(std::vector<std::string>& notes) const;
  /// uint8 and float32. A folder that cannot be written to is said once in the log.
  void keep(const PlacedImage& image, const std::vector<std::string>& notes) const;

 private:
  std::filesystem::path place_;
};

}  // namespace fovea::formats
