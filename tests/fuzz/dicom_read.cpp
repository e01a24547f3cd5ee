// Parser: src/dicom/decode.cpp src/dicom/native.cpp src/dicom/image.cpp src/dicom/window.cpp src/dicom/colour.cpp
// Seeds: tests/fuzz/corpus/dicom_scan/*
// Words: tests/fuzz/support/dicom.dict
#include "fovea/dicom/image.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  const auto file = fuzz::Input(data, size).bytes();
  dicom::ReadOptions options;
  options.limits.max_decoded_bytes = 1 << 16;
  options.limits.max_inflated_bytes = 4 << 20;
  for (const auto window :
       {dicom::WindowFrom::none, dicom::WindowFrom::file_or_range, dicom::WindowFrom::range}) {
    options.window = window;
    fuzz::answers([&] {
      const Image image = dicom::read(file, "input", options);
      const int64_t bytes = image.samples() * bytes_of(image.sample);
      fuzz::require(image.pixels.size() == static_cast<size_t>(bytes), "an image of another size");
      image.grid();
      const bool levels = window != dicom::WindowFrom::none && image.channels == 1;
      for (int64_t i = 0; levels && i < image.samples(); ++i)
        fuzz::require(image.data<float>()[i] >= 0 && image.data<float>()[i] <= 1, "no grey level");
    });
  }
  return 0;
}
