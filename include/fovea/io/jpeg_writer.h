// What JPEG does to an image.
#pragma once

#include <string>

#include "fovea/image/image.h"

namespace fovea::io {

/// One frame of 8 bits, grey or RGB, as a baseline JPEG file of `quality` 1 to 100 (libjpeg's scale). A config
/// Error for any other image.
std::string encode_jpeg(const Image& image, int quality);

}  // namespace fovea::io
