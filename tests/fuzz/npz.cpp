// Parser: src/io/npz.cpp
// Seeds: tests/reference/images/*.npz
#include "fovea/io/npz.h"
#include "fuzz/support/fuzz.h"

namespace {

using namespace fovea;

/// What is written is read as the same arrays again.
void read_back(const std::map<std::string, io::Array>& arrays) {
  static const fuzz::Folder folder;
  const std::filesystem::path path = folder.path() / "written.npz";
  io::write_npz(path, arrays);
  const io::NpzFile file = io::NpzFile::open(path, {});
  fuzz::require(file.entries().size() == arrays.size(), "another number of arrays");
  for (const auto& [name, array] : arrays) {
    const io::Array again = file.read(name);
    fuzz::require(again.dtype == array.dtype && again.shape == array.shape, "another shape");
    fuzz::require(again.bytes == array.bytes, "other numbers");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::answers([&] {
    const io::NpzFile file = io::NpzFile::open(fuzz::file_of(fuzz::Input(data, size).rest()),
                                               {.max_member_bytes = 16 << 20, .max_members = 20});
    std::map<std::string, io::Array> arrays;
    for (const io::NpzEntry& entry : file.entries()) {
      fuzz::answers([&] {
        io::Array array = file.read(entry.name);
        fuzz::require(array.shape == entry.header.shape, "another shape");
        arrays[entry.name] = std::move(array);
      });
    }
    read_back(arrays);
    file.read("no such array");
  });
}
