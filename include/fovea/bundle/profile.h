// What the inputs of the training cases looked like, in counts and quantiles that name nobody: it travels with a
// model, so that other data can be held against it where the training data are not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "fovea/metrics/drift.h"
#include "fovea/report/report.h"
#include "fovea/sources/quantities.h"

namespace fovea::bundle {

struct QuantityProfile {
  std::string of, name;  ///< as sources::Quantity has them
  std::variant<metrics::NumberProfile, metrics::CategoryProfile> values;
};

/// clusters [n]: the patient of each case.
std::vector<QuantityProfile> profile_of(const std::vector<sources::Quantity>& quantities,
                                        std::span<const uint32_t> clusters);

/// What both know, compared: values, and where any lacks one the missing ones.
std::vector<report::Drift> drift_of(const std::vector<QuantityProfile>& training,
                                    const std::vector<sources::Quantity>& here,
                                    std::span<const uint32_t> clusters);

}  // namespace fovea::bundle
