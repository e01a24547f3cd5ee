// The targets of image files.
#pragma once

#include "fovea/io/image_file.h"
#include "fuzz/support/fuzz.h"

namespace fovea::fuzz {

constexpr io::ImageLimits kSmall{.max_decoded_bytes = 1 << 20};

using Decode = Image (*)(std::string_view, const std::filesystem::path&, const io::ImageLimits&);

/// What comes out is as large as it says, and within the limit.
inline int decode_image(Decode decode, const uint8_t* data, size_t size) {
  return answers([&] {
    const Image image = decode(Input(data, size).rest(), "input", kSmall);
    const int64_t bytes = image.samples() * bytes_of(image.sample);
    require(image.samples() > 0, "an image without samples");
    require(image.pixels.size() == static_cast<size_t>(bytes), "an image of another size");
    require(bytes <= kSmall.max_decoded_bytes, "an image above the limit");
  });
}

}  // namespace fovea::fuzz
