#include "fovea/config/run_config.h"

#include "fovea/config/yaml.h"

namespace fovea::config {

RunConfig read_config(const std::filesystem::path& path, const std::vector<std::string>& set) {
  Node root = read_yaml(path);
  for (const std::string& assignment : set) set_value(root, assignment);
  expand_variables(root);
  RunConfig config;
  Fields::read(root, config);
  return config;
}

std::string resolved_text(const RunConfig& config) { return to_yaml(Fields::write(config)); }

std::string identity_text(const RunConfig& config) { return to_yaml(Fields::write(config), false); }

}  // namespace fovea::config
