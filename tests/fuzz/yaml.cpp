// Parser: src/config/yaml.cpp
// A file; behind a NUL what --set gives.
#include "fovea/config/yaml.h"
#include "fuzz/support/fuzz.h"

namespace {

bool alike(const fovea::Node& a, const fovea::Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.entries.size() != b.entries.size())
    return false;
  for (size_t i = 0; i < a.items.size(); ++i)
    if (!alike(a.items[i], b.items[i])) return false;
  for (size_t i = 0; i < a.entries.size(); ++i)
    if (a.entries[i].key != b.entries[i].key || !alike(a.entries[i].value, b.entries[i].value))
      return false;
  return true;
}

/// What is written gives the same tree again.
void read_back(const fovea::Node& root) {
  using namespace fovea;
  const std::string text = config::to_yaml(root);
  try {
    fuzz::require(alike(root, config::parse_yaml(text, "written", "/")), text.c_str());
  } catch (const Error& error) {
    fuzz::require(false, (text + "\n" + error.what()).c_str());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    fuzz::Input input(data, size);
    Node root = config::parse_yaml(input.part(), "input", "/");
    if (!root.entries.empty()) read_back(root);
    if (!input.rest().empty()) config::set_value(root, std::string(input.rest()));
    config::to_yaml(root);
    config::expand_variables(root);
  });
}
