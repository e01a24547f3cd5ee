// Parser: src/bundle/card.cpp
#include "fovea/bundle/card.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  static const fuzz::Folder folder;
  return fuzz::answers([&] {
    const auto path = folder.write("model.json", fuzz::Input(data, size).rest());
    const bundle::ModelCard card = bundle::read_card(path);
    if (card.inputs.empty() || card.targets.empty()) return;  // of no model
    bundle::write_card(path, card);
    try {
      bundle::read_card(path);
    } catch (const Error& error) {
      fuzz::require(false, error.what());  // what was read can be written and read again
    }
  });
}
