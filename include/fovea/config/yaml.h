// YAML at the door: text to Node and back. The only file of the project that knows a YAML library.
#pragma once

#include <filesystem>
#include <string>

#include "fovea/core/node.h"

namespace fovea::config {

/// Reads a YAML file. Refused, each with file and line: a key written twice, aliases and anchors,
/// nesting deeper than 64, tags, several documents, and whatever is not YAML. Every node remembers
/// its line and the folder that paths are relative to.
Node read_yaml(const std::filesystem::path& path);

/// The same from a text; `name` stands for the file in messages.
Node parse_yaml(const std::string& text, const std::string& name,
                const std::filesystem::path& base);

/// `--set train.epochs=10`: puts a value (YAML flow text) at a dotted key, making the maps on the
/// way. A list item is named by its position: `transforms.eval.0`. Paths in it are relative to the
/// working folder.
void set_value(Node& root, const std::string& assignment);

/// Replaces ${NAME} in every scalar by the environment variable; one that is not set is an error
/// that names key and line. Called after set_value, so that a key that was overridden needs no
/// variable.
void expand_variables(Node& root);

/// Block style, two spaces, in the order of the entries; `read_yaml` gives the same tree back.
/// Without the cosmetic entries it is what two runs must share to be the same run.
std::string to_yaml(const Node& root, bool with_cosmetic = true);

}  // namespace fovea::config
