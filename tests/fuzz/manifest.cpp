// Parser: src/storage/manifest.cpp
#include "fovea/storage/manifest.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  static const fuzz::Folder folder;
  return fuzz::answers([&] {
    folder.write("a", "abc");
    folder.write(storage::kManifestName, fuzz::Input(data, size).rest());
    const storage::Manifest manifest = storage::read_manifest(folder.path(), "checkpoint");
    storage::verify(manifest, folder.path(), {"a"});
  });
}
