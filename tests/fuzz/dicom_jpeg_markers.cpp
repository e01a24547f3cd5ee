// Parser: src/dicom/jpeg_frame.cpp
#include "fuzz/support/frames.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fovea::fuzz::decode_frame(
      data, size, "1.2.840.10008.1.2.4.50",
      [](fovea::dicom::Bytes stream, const fovea::dicom::Header& header, fovea::dicom::Out) {
        fovea::dicom::jpeg_frame(stream, header);
      });
}
