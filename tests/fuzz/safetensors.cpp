// Parser: src/storage/safetensors.cpp src/storage/safetensors_header.cpp src/storage/pickle.cpp
// Seeds: tests/reference/weights.safetensors
#include "fovea/storage/safetensors.h"
#include "fuzz/support/fuzz.h"

namespace {

using namespace fovea;
using Buffers = std::vector<std::vector<std::byte>>;

Buffers numbers(const storage::SafetensorsFile& file) {
  Buffers all;
  for (const storage::TensorEntry& entry : file.entries()) {
    all.emplace_back(static_cast<size_t>(entry.end - entry.begin));
    file.read(entry, all.back());
    fuzz::require(file.contains(entry.name), "a tensor that is not found");
  }
  return all;
}

/// What is written is read as the same tensors again.
void read_back(const storage::SafetensorsFile& file, const Buffers& buffers) {
  static const fuzz::Folder folder;
  const std::filesystem::path path = folder.path() / "written.safetensors";
  std::vector<storage::TensorView> tensors;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const storage::TensorEntry& entry = file.entries()[i];
    tensors.push_back({entry.name, entry.dtype, entry.shape, buffers[i]});
  }
  storage::write_safetensors(path, tensors, file.metadata());
  const auto again = storage::SafetensorsFile::open(path);
  fuzz::require(again.metadata() == file.metadata(), "other metadata");
  fuzz::require(again.entries().size() == buffers.size(), "another number of tensors");
  for (size_t i = 0; i < buffers.size(); ++i) {
    const storage::TensorEntry& entry = again.entry(file.entries()[i].name);
    std::vector<std::byte> bytes(buffers[i].size());
    fuzz::require(entry.dtype == file.entries()[i].dtype && entry.shape == file.entries()[i].shape,
                  "another shape");
    again.read(entry, bytes);
    fuzz::require(bytes == buffers[i], "other numbers");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::answers([&] {
    const auto file = storage::SafetensorsFile::open(fuzz::file_of(fuzz::Input(data, size).rest()));
    read_back(file, numbers(file));
    file.entry("no such tensor");
  });
}
