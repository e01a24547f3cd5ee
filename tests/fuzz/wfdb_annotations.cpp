// Parser: src/io/wfdb_annotations.cpp
#include "fovea/io/wfdb.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const io::WfdbAnnotations found =
        io::read_wfdb_annotations(fuzz::file_of(fuzz::Input(data, size).rest()));
    for (const double frequency : {0.001, 360.0, 1e6})
      for (const io::WfdbAnnotation& one : found.at(frequency))
        fuzz::require(one.sample >= 0, "before the first sample");
  });
}
