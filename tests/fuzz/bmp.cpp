// Parser: src/io/bmp.cpp
// Seeds: tests/reference/images/*.bmp
#include "fuzz/support/images.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fovea::fuzz::decode_image(fovea::io::decode_bmp, data, size);
}
