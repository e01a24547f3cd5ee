// Parser: src/config/yaml.cpp
// A file; behind a NUL what --set gives.
#include "fovea/config/yaml.h"
#include "fuzz/support/fuzz.h"

namespace {

/// What is written gives the same tree again.
void read_back(const fovea::Node& root) {
  using namespace fovea;
  const std::string text = config::to_yaml(root);
  try {
    const std::string again = config::to_yaml(config::parse_yaml(text, "written", "/"));
    fuzz::require(again == text, (text + "\nbecomes\n" + again).c_str());
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
    if (root.kind == Node::Kind::map) read_back(root);
    if (!input.rest().empty()) config::set_value(root, std::string(input.rest()));
    config::to_yaml(root);
    config::expand_variables(root);
  });
}
