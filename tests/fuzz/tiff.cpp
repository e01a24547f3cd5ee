// Parser: src/io/tiff.cpp src/io/tiff_samples.cpp
// Seeds: tests/reference/images/*.tif
#include "fuzz/support/images.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fovea::fuzz::decode_image(fovea::io::decode_tiff, data, size);
}
