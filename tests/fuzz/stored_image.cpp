// Parser: src/io/stored_image.cpp
// Seeds: tests/reference/images/grey16.png tests/reference/images/rgb.jpg tests/reference/images/rgba32.bmp
// Seeds: tests/reference/images/grey_f4.tif tests/reference/images/rgb.webp tests/reference/images/palette.gif
#include "fuzz/support/images.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const auto found = io::stored_image(fuzz::file_of(fuzz::Input(data, size).rest()));
    fuzz::require(!found || (found->channels > 0 && found->bits > 0), "an image without samples");
  });
}
