// model.json: what is needed beside settings and weights to rebuild a model and to read its inputs.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "fovea/bundle/profile.h"
#include "fovea/core/values.h"
#include "fovea/data/schema.h"

namespace fovea::bundle {

struct ModelCard {
  int format = 4;  ///< of the file; 3: of a bundle that has no MANIFEST.json
  std::vector<std::pair<std::string, InputShape>> inputs;  ///< by name
  Named<Node> fitted;  ///< what was fitted to the training cases, by name of the input
  std::vector<TargetSpec> targets;
  std::vector<QuantityProfile> profile = {};  ///< of the training cases; empty: of an older fovea
};

void write_card(const std::filesystem::path& path, const ModelCard& card);

/// A data Error names what is missing or of the wrong type.
ModelCard read_card(const std::filesystem::path& path);

}  // namespace fovea::bundle
