// Parser: src/storage/safetensors.cpp src/storage/safetensors_header.cpp src/storage/pickle.cpp
// Seeds: tests/reference/weights.safetensors
#include "fovea/storage/safetensors.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const auto file = storage::SafetensorsFile::open(fuzz::file_of(fuzz::Input(data, size).rest()));
    std::vector<std::byte> bytes;
    for (const storage::TensorEntry& entry : file.entries()) {
      bytes.resize(static_cast<size_t>(entry.end - entry.begin));
      file.read(entry, bytes);
      fuzz::require(file.contains(entry.name), "a tensor that is not found");
    }
    file.entry("no such tensor");
  });
}
