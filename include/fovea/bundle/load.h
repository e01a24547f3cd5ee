// From a folder on disk to a model that classifies. Needs no LibTorch to be included.
#pragma once

#include <filesystem>
#include <string>

#include "fovea/bundle/predictor.h"

namespace fovea {

/// Loads what `fovea train` left: a run folder (its best checkpoint) or a bundle. `device` is auto,
/// cpu, cuda or cuda:N. Errors: a folder that is neither, a damaged or foreign checkpoint (data), a
/// GPU that is asked for and absent (resources).
Predictor load(const std::filesystem::path& run_or_bundle, const std::string& device = "auto");

}  // namespace fovea
