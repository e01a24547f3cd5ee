// Parser: src/config/yaml.cpp
// A file; behind a NUL what --set gives.
#include "fovea/config/yaml.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    fuzz::Input input(data, size);
    Node root = config::parse_yaml(input.part(), "input", "/");
    if (!input.rest().empty()) config::set_value(root, std::string(input.rest()));
    const std::string text = config::to_yaml(root);
    if (root.kind == Node::Kind::map)  // what is written can be read
      fuzz::require(config::to_yaml(config::parse_yaml(text, "written", "/")) == text,
                    "another tree");
    config::expand_variables(root);
  });
}
