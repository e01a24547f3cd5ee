// What a bundle consists of, besides its MANIFEST.json.
#pragma once

#include <string>
#include <vector>

namespace fovea::bundle {

inline constexpr const char* kBundleType = "bundle";
inline const std::vector<std::string> kBundleFiles = {"config.yaml", "model.json",
                                                      "model.safetensors"};

}  // namespace fovea::bundle
