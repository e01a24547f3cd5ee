// Parser: src/io/npz.cpp
// Seeds: tests/reference/images/*.npz
#include "fovea/io/npz.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const io::NpzFile file = io::NpzFile::open(fuzz::file_of(fuzz::Input(data, size).rest()),
                                               {.max_member_bytes = 16 << 20, .max_members = 20});
    for (const io::NpzEntry& entry : file.entries()) {
      fuzz::answers([&] {
        const io::Array array = file.read(entry.name);
        fuzz::require(array.shape == entry.header.shape, "another shape");
      });
    }
    file.read("no such array");
  });
}
