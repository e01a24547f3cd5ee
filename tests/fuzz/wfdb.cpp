// Parser: src/io/wfdb.cpp src/io/wfdb_header.cpp
// The header up to a NUL, then the signals: the files s and t.
#include "fovea/io/wfdb.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  static const fuzz::Folder folder;
  return fuzz::answers([&] {
    fuzz::Input input(data, size);
    const std::filesystem::path header = folder.write("r.hea", input.part());
    folder.write("s", input.rest());
    folder.write("t", input.rest());
    const io::WfdbRecord record = io::read_wfdb(header, 1 << 20);
    const size_t signals = record.header.signals.size();
    fuzz::require(record.stored.size() == static_cast<size_t>(record.header.samples) * signals,
                  "another number of samples");
    for (size_t k = 0; k < signals; ++k) record.value(record.header.samples - 1, k);
  });
}
