// What `fovea eval` leaves of a regression: metrics.json, predictions.csv and the plots.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fovea/metrics/coverage.h"
#include "fovea/metrics/regression.h"

namespace fovea::report {

/// Writes, into a folder that exists or is made:
///   metrics.json       metrics with all digits (null, with the reason under "undefined", where
///                      there is none), the limits of agreement, and the cases that count for
///                      neither, as in report/evaluation.h
///   predictions.csv    id, group (if any; a pseudonym), target, predicted
///   scatter.svg        predicted against true
///   bland_altman.svg   predicted - true against their mean, with the limits of agreement
/// and returns "split=test n=624 rmse=14.2000 …". Files of these names are replaced, each as a whole.
std::string write_regression(const std::filesystem::path& folder, const metrics::Numbers& numbers,
                             const std::string& target, const std::string& split,
                             const metrics::Coverage& coverage = {});

/// Predicted against true, with the line where both are equal. Of more than 4000 cases as many,
/// evenly spaced in their order, are drawn.
std::string scatter_svg(const metrics::Numbers& numbers, std::string_view target,
                        std::string_view subtitle);

/// The plot of Bland and Altman (Lancet 1986).
std::string bland_altman_svg(const metrics::Numbers& numbers, std::string_view target,
                             std::string_view subtitle);

}  // namespace fovea::report
