#include "fovea/config/run_config.h"

#include <fmt/format.h>

#include "fovea/config/yaml.h"

namespace fovea::config {
namespace {

namespace fs = std::filesystem;

/// A path below `old_root`, made relative to the root again; "" where it lies elsewhere.
std::string unplaced(const Node& path, const Node* old_root) {
  const fs::path whole = path.base / path.text;
  const bool rooted = old_root && old_root->kind == Node::Kind::scalar && !old_root->text.empty();
  const fs::path root = rooted ? old_root->base / old_root->text : whole.parent_path();
  const fs::path inside = whole.lexically_normal().lexically_relative(root.lexically_normal());
  return inside.empty() || *inside.begin() == ".." ? "" : inside.string();
}

/// `--set data.root=…` on resolved settings, whose paths are absolute: what lies under the old root
/// moves along. What does not would silently stay the old data, and is refused.
void move_with_root(Node& root, const std::vector<std::string>& set) {
  const auto is_set = [&](std::string_view key) {
    return std::ranges::any_of(set, [&](const std::string& assignment) {
      return assignment.starts_with(fmt::format("data.{}=", key)) ||
             assignment.starts_with(fmt::format("data.{}.", key));
    });
  };
  Node* data = root.find("data");
  if (!data || data->kind != Node::Kind::map || !is_set("root")) return;
  const Node* old_root = data->find("root");
  const auto move = [&](const std::string& key, Node& path) {
    if (path.kind != Node::Kind::scalar || !fs::path(path.text).is_absolute()) return;
    const std::string moved = unplaced(path, old_root);
    if (moved.empty())
      throw config_error(
          fmt::format(
              "--set data.root: data.{} is {}, which does not lie under the root {} and would "
              "stay where it is",
              key, path.text, old_root ? old_root->text : "(none)"),
          fmt::format("set data.{} too (to the same path where it is meant)", key));
    path.text = moved;
  };
  for (const std::string key : {"table", "folder", "path"}) {
    Node* place = data->find(key);
    if (!place || is_set(key)) continue;
    move(key, *place);
    for (Entry& entry : place->entries) move(key + "." + entry.key, entry.value);
  }
}

/// `table`, `folder` and `path` each name all the cases.
void refuse_two_places(const Node& root) {
  const Node* data = root.find("data");
  if (data == nullptr || data->kind != Node::Kind::map) return;
  std::vector<const Node*> found;
  for (const char* key : {"table", "folder", "path"})
    if (const Node* node = data->find(key); node && node->kind != Node::Kind::null)
      found.push_back(node);
  if (found.size() < 2) return;
  throw config_error(
      fmt::format("{}: found {}, and at {} {}; wanted one of data.table, data.folder "
                  "and data.path: each names all the cases",
                  found[0]->where, found[0]->path, found[1]->where, found[1]->path),
      "drop the others");
}

}  // namespace

RunConfig read_config(const fs::path& path, const std::vector<std::string>& set) {
  Node root = read_yaml(path);
  move_with_root(root, set);
  for (const std::string& assignment : set) set_value(root, assignment);
  expand_variables(root);
  refuse_two_places(root);
  RunConfig config;
  Fields::read(root, config);
  return config;
}

std::string resolved_text(const RunConfig& config) { return to_yaml(Fields::write(config)); }

std::string identity_text(const RunConfig& config) { return to_yaml(Fields::write(config), false); }

}  // namespace fovea::config
