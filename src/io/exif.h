// The orientation of a photograph, which JPEG and WebP keep in EXIF.
#pragma once

#include <string_view>

#include "fovea/image/image.h"

namespace fovea::io {

constexpr std::string_view kExif{"Exif\0\0", 6};  // in front of it in a JPEG

/// Tag 0x0112 of the first directory of a TIFF in memory, 1 to 8; 1 where there is none.
int exif_orientation(std::string_view tiff);

/// Turns an image of 8 bits as EXIF 2.3, 4.6.4, asks, with a note.
void apply_orientation(Image& image, int orientation);

}  // namespace fovea::io
