// What a run is, as a flat list: its settings by their full names, and what else its numbers depend
// on, in parentheses.
#pragma once

#include <map>

#include "fovea/train/run_folder.h"

namespace fovea::train {

using Facts = std::map<std::string, std::string>;

/// Every setting that can change a number; none of a null node.
Facts settings_of(const Node& config);

Facts facts_of(const RunIdentity& identity);

/// The settings that manifest.json noted, where config.yaml (`written`) still says the same, as
/// this fovea reads them (`read`): a name that changed since is not a change. What it alone knows
/// is added.
Facts in_names_of_today(Facts noted, const Facts& written, const Facts& read);

/// "  train.epochs: 10 -> 20" for each difference, "" where there is none.
std::string difference(const Facts& before, const Facts& after);

}  // namespace fovea::train
