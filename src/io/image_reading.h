// What the readers of all image formats share.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fovea/core/error.h"
#include "fovea/io/image_file.h"

namespace fovea::io {

constexpr int64_t kLongestSide = 1 << 20;  ///< pixels

/// A data Error "reading PNG file <path>: <what>".
Error refusal(const char* format, const std::filesystem::path& path, const std::string& what);

/// Refuses an image whose samples would need more than the limit, or has no size at all.
void check_size(const char* format, const std::filesystem::path& path, const Image& header,
                const ImageLimits& limits);

/// stored_image of the first bytes of a file; an Error where they are too few or damaged.
StoredImage stored_bmp(std::string_view head);
StoredImage stored_gif(std::string_view head);

/// Allocates the pixels of an image whose size and sample type are set.
void allocate(Image& image);

}  // namespace fovea::io
