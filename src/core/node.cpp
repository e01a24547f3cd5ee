#include "fovea/core/node.h"

#include <algorithm>

namespace fovea {

const Node* Node::find(std::string_view key) const {
  const auto entry = std::ranges::find(entries, key, &Entry::key);
  return entry == entries.end() ? nullptr : &entry->value;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

Node& Node::at(std::string_view key) {
  if (Node* found = find(key)) return *found;
  kind = Kind::map;
  entries.push_back({std::string(key), {}, where, false});
  Node& value = entries.back().value;
  value.where = where;
  value.base = base;
  value.path = path.empty() ? std::string(key) : path + "." + std::string(key);
  return value;
}

Node Node::scalar(std::string text, bool quoted) {
  Node node;
  node.kind = Kind::scalar;
  node.text = std::move(text);
  node.quoted = quoted;
  return node;
}

std::string place(const Node& node) {
  std::string text = node.where.empty() ? "" : node.where + ": ";
  return node.path.empty() ? text : text + node.path + ": ";
}

}  // namespace fovea
