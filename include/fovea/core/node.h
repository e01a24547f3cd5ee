// Settings as they were written: a tree of texts that remembers the line each came from. The module
// `config` makes it from YAML and writes it back; nothing below knows that YAML exists.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea {

struct Entry;

struct Node {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  std::string text;            ///< of a scalar
  bool quoted = false;         ///< "28" is a text, 28 is a number
  std::vector<Node> items;     ///< of a list
  std::vector<Entry> entries;  ///< of a map, in the order written

  std::string where;           ///< "configs/xray.yaml:14", or "--set train.epochs=3"
  std::string path;            ///< "model.encoders.image"
  std::filesystem::path base;  ///< what relative paths in it are relative to

  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  /// The value of `key`, added at the end (null) where it is absent. Turns a null node into a map.
  Node& at(std::string_view key);

  static Node scalar(std::string text, bool quoted = false);
};

/// One `key: value` of a map.
struct Entry {
  std::string key;
  Node value;
  std::string where;      ///< of the key
  bool cosmetic = false;  ///< cannot change a number: left out when two configurations are compared
};

/// How messages begin: "configs/xray.yaml:14: model: ".
std::string place(const Node& node);

}  // namespace fovea
