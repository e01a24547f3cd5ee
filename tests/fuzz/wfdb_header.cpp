// Parser: src/io/wfdb_header.cpp
#include "fovea/io/wfdb.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const io::WfdbHeader header =
        io::read_wfdb_header(fuzz::file_of(fuzz::Input(data, size).rest()));
    fuzz::require(header.labels().size() == header.signals.size(), "labels that do not fit");
  });
}
