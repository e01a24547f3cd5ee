// How each type of setting is read from a Node, written to one, and named in messages. A new type
// of setting is added here.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fovea/core/node.h"

namespace fovea {

class Fields;
class ChoiceBase;

template <class T>
concept DescribesItself = requires(T& settings, Fields& fields) {
  settings.describe(fields);
};

/// A map that keeps the order in which it was written: `inputs: {image: …, report: …}`.
template <class T>
struct Named {
  std::vector<std::pair<std::string, T>> entries;

  const T* find(std::string_view name) const {
    for (const auto& [key, value] : entries)
      if (key == name) return &value;
    return nullptr;
  }
  bool empty() const { return entries.empty(); }
  size_t size() const { return entries.size(); }
  auto begin() const { return entries.begin(); }
  auto end() const { return entries.end(); }
};

// Reading throws a config Error that names place, what was found and what was wanted.
void read_value(const Node& node, bool& value);
void read_value(const Node& node, int64_t& value);
void read_value(const Node& node, double& value);
void read_value(const Node& node, std::string& value);
void read_value(const Node& node,
                std::filesystem::path& value);  ///< made absolute from the node's base
void read_value(const Node& node, ChoiceBase& value);

Node write_value(bool value);
Node write_value(int64_t value);
Node write_value(double value);
Node write_value(const std::string& value);
Node write_value(const std::filesystem::path& value);
Node write_value(const ChoiceBase& value);

inline std::string type_name(bool) { return "true or false"; }
inline std::string type_name(int64_t) { return "whole number"; }
inline std::string type_name(double) { return "number"; }
inline std::string type_name(const std::string&) { return "text"; }
inline std::string type_name(const std::filesystem::path&) { return "path"; }
std::string type_name(const ChoiceBase& value);

/// A node on one line, as YAML flow text: `[{resize: 224}, zscore]`.
std::string inline_text(const Node& node);

[[noreturn]] void wrong_kind(const Node& node, const std::string& wanted);

// --- composed types
// -------------------------------------------------------------------------------------------------

// Settings within settings: what these two do is in fields.h.
template <DescribesItself T>
void read_value(const Node& node, T& value);
template <DescribesItself T>
Node write_value(const T& value);
template <DescribesItself T>
std::string type_name(const T&) {
  return "settings";
}

template <class T>
void read_value(const Node& node, std::optional<T>& value);
template <class T>
void read_value(const Node& node, std::vector<T>& value);
template <class T>
void read_value(const Node& node, Named<T>& value);
template <class T>
Node write_value(const std::optional<T>& value);
template <class T>
Node write_value(const std::vector<T>& value);
template <class T>
Node write_value(const Named<T>& value);

template <class T>
std::string type_name(const std::optional<T>&) {
  return type_name(T()) + " or null";
}
template <class T>
std::string type_name(const std::vector<T>&) {
  return "list of " + type_name(T());
}
template <class T>
std::string type_name(const Named<T>&) {
  return "map of name: " + type_name(T());
}

template <class T>
void read_value(const Node& node, std::optional<T>& value) {
  if (node.kind == Node::Kind::null) {
    value.reset();
  } else {
    read_value(node, value.emplace());
  }
}

/// A single value stands for a list of one.
template <class T>
void read_value(const Node& node, std::vector<T>& value) {
  value.clear();
  if (node.kind == Node::Kind::null) return;
  if (node.kind != Node::Kind::list) {
    read_value(node, value.emplace_back());
    return;
  }
  for (const Node& item : node.items) {
    T one{};
    read_value(item, one);
    value.push_back(std::move(one));
  }
}

template <class T>
void read_value(const Node& node, Named<T>& value) {
  value.entries.clear();
  if (node.kind != Node::Kind::map) wrong_kind(node, "a map of name: " + type_name(T()));
  for (const Entry& entry : node.entries) {
    value.entries.emplace_back(entry.key, T{});
    read_value(entry.value, value.entries.back().second);
  }
}

template <class T>
Node write_value(const std::optional<T>& value) {
  return value ? write_value(*value) : Node{};
}

template <class T>
Node write_value(const std::vector<T>& value) {
  Node node;
  node.kind = Node::Kind::list;
  for (const auto& item : value) node.items.push_back(write_value(static_cast<const T&>(item)));
  return node;
}

template <class T>
Node write_value(const Named<T>& value) {
  Node node;
  node.kind = Node::Kind::map;
  for (const auto& [name, item] : value) {
    Node written = write_value(item);
    node.at(name) = std::move(written);
  }
  return node;
}

// The numbers and texts a rule is checked on; other types have none.
template <class T, class Visit>
void for_each_number(const T& value, const Visit& visit) {
  if constexpr (std::same_as<T, int64_t> || std::same_as<T, double>) {
    visit(static_cast<double>(value));
  } else if constexpr (requires { value.has_value(); }) {
    if (value) for_each_number(*value, visit);
  } else if constexpr (requires { value.begin(); } && !std::same_as<T, std::string>) {
    for (const auto& item : value) for_each_number(item, visit);
  }
}

template <class T, class Visit>
void for_each_text(const T& value, const Visit& visit) {
  if constexpr (std::same_as<T, std::string>) {
    visit(value);
  } else if constexpr (requires { value.has_value(); }) {
    if (value) for_each_text(*value, visit);
  } else if constexpr (requires { value.begin(); }) {
    for (const auto& item : value) for_each_text(item, visit);
  }
}

}  // namespace fovea
