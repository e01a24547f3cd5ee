// Parser: src/dicom/jpeg.cpp src/dicom/jpeg_frame.cpp
// Seeds: tests/fuzz/corpus/dicom_jpeg_markers/*
#include "fuzz/support/frames.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fovea::fuzz::decode_frame(
      data, size, "1.2.840.10008.1.2.4.57",
      [](fovea::dicom::Bytes stream, const fovea::dicom::Header& header, fovea::dicom::Out out) {
        fovea::dicom::decode_jpeg(stream, header, {}, out);
      });
}
