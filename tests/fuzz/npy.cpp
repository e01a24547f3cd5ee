// Parser: src/io/npy.cpp
// Seeds: tests/reference/images/*.npy
#include "fovea/io/npy.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const io::Array array = io::read_npy(fuzz::file_of(fuzz::Input(data, size).rest()),
                                         {.max_decoded_bytes = 16 << 20});
    const auto bytes = storage::bytes_of(array.dtype, array.shape);
    fuzz::require(bytes && *bytes == static_cast<int64_t>(array.bytes.size()), "another size");
    io::decode_npy(io::encode_npy(array), "written");  // what was read can be written and read
  });
}
