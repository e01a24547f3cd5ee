// Parser: src/io/png.cpp src/io/png_filters.cpp
// Seeds: tests/reference/images/*.png
#include "fuzz/support/images.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fovea::fuzz::decode_image(fovea::io::decode_png, data, size);
}
