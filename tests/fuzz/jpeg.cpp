// Parser: src/io/jpeg.cpp src/io/exif.cpp
// Seeds: tests/reference/images/*.jpg
#include "fuzz/support/images.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fovea::fuzz::decode_image(fovea::io::decode_jpeg, data, size);
}
