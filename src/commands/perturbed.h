// `fovea eval --perturb noise,blur`: the evaluation once more for each perturbation and strength.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fovea/data/dataset.h"
#include "fovea/report/robustness.h"
#include "fovea/report/section.h"

namespace fovea::commands {

/// A config Error for a name that is none, and where the model reads no image.
void check_perturbations(const std::vector<std::string>& names,
                         const std::vector<std::string>& inputs, const Dataset& cases);

/// The main metric of each target of the sections under each perturbation: a table and a plot
/// (robustness_<name>.svg) for each, written below `folder`. `evaluate` evaluates other cases in the place of
/// these; where it gives no sections it was stopped, and false is returned.
bool add_robustness(std::vector<report::Section>& sections, const std::vector<std::string>& names,
                    DatasetPtr cases, const std::filesystem::path& folder,
                    const std::function<std::vector<report::Section>(DatasetPtr)>& evaluate);

}  // namespace fovea::commands
