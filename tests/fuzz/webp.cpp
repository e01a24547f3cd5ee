// Parser: src/io/webp.cpp src/io/exif.cpp
// Seeds: tests/reference/images/*.webp
#include "fuzz/support/images.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fovea::fuzz::decode_image(fovea::io::decode_webp, data, size);
}
