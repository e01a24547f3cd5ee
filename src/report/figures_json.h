// Figures as JSON: what every metrics.json has.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "fovea/metrics/summary.h"

namespace fovea::report {

/// Puts "figures", and "undefined" and "notes" where there are such, into `json`.
void put_figures(nlohmann::ordered_json& json, const std::vector<metrics::NamedFigure>& figures);

/// " auc=0.9712 accuracy=0.8910": four decimals; "undefined" where there is none.
std::string figures_line(const std::vector<metrics::NamedFigure>& figures);

}  // namespace fovea::report
