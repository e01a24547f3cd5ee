// Parser: src/dicom/scan.cpp src/dicom/walk.cpp src/dicom/understand.cpp src/dicom/understand_values.cpp
// Parser: src/dicom/source.cpp src/dicom/elements.cpp src/dicom/kept.cpp src/dicom/describe.cpp
// Words: tests/fuzz/support/dicom.dict
#include "fovea/dicom/image.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const auto file = fuzz::Input(data, size).bytes();
    dicom::looks_like_dicom(file);
    const dicom::Limits limits{.max_decoded_bytes = 16 << 20, .max_inflated_bytes = 16 << 20};
    fuzz::answers([&] { dicom::scan(fuzz::file_of(fuzz::Input(data, size).rest()), limits); });
    const dicom::Header header = dicom::scan(file, "input", limits);
    const uint64_t bytes = header.inflated ? header.inflated->size() : size;
    for (const dicom::Fragment& part : header.fragments)
      fuzz::require(part.offset <= bytes && part.length <= bytes - part.offset, "a false fragment");
    if (!header.syntax->encapsulated())
      fuzz::require(
          header.pixels.offset <= bytes && header.native_bytes() <= bytes - header.pixels.offset,
          "false pixels");
    fuzz::require(header.decoded_bytes() <= limits.max_decoded_bytes, "above the limit");
    dicom::describe(header);
    for (const int64_t frame : {int64_t{0}, header.frames - 1})
      dicom::file_window(header, 0, frame);
  });
}
