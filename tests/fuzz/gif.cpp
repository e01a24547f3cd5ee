// Parser: src/io/gif.cpp
// Seeds: tests/reference/images/*.gif
#include "fuzz/support/images.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fovea::fuzz::decode_image(fovea::io::decode_gif, data, size);
}
