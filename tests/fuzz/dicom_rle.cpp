// Parser: src/dicom/rle.cpp
#include "fuzz/support/frames.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fovea::fuzz::decode_frame(data, size, "1.2.840.10008.1.2.5", fovea::dicom::decode_rle);
}
