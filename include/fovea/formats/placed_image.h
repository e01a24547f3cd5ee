// One image file as a tensor, with the grid on which its voxels lie.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <optional>

#include "fovea/formats/formats.h"
#include "fovea/formats/image_notes.h"
#include "fovea/image/grid.h"
#include "fovea/storage/file.h"

namespace fovea::formats {

/// An image as a tensor, and where its voxels lie.
struct PlacedImage {
  torch::Tensor values;  ///< as `to_tensor` makes it
  Grid grid;
};

/// How an image is read.
struct PlacedOptions {
  int64_t channels = 0;  ///< of `to_tensor`
  FormatOptions formats = {};
  std::filesystem::path cache_folder = {};  ///< where decoded images are kept; "" keeps none
};

/// One file, from the cache folder where it is there. What its reader has to say goes to `notes`.
/// `listed`: what the file was like when it was listed; an io Error where it changed since.
PlacedImage read_placed(const std::filesystem::path& path, const PlacedOptions& options,
                        ImageNotes& notes, const std::optional<storage::FileStamp>& listed = {});

}  // namespace fovea::formats
