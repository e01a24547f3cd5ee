// The profile of the training cases as it stands in model.json.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "fovea/bundle/profile.h"

namespace fovea::bundle {

nlohmann::ordered_json json_of(const std::vector<QuantityProfile>& profile);
/// Throws what nlohmann-json throws where a key is missing or of another type; a data Error where numbers do
/// not fit each other.
std::vector<QuantityProfile> profile_from(const nlohmann::ordered_json& json);

}  // namespace fovea::bundle
