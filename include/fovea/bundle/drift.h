// The profile of the training cases: made of them, and held against other cases.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fovea/bundle/profile.h"
#include "fovea/report/report.h"
#include "fovea/sources/quantities.h"

namespace fovea::bundle {

/// clusters [n]: the patient of each case.
std::vector<QuantityProfile> profile_of(const std::vector<sources::Quantity>& quantities,
                                        std::span<const uint32_t> clusters);

/// What both know, compared: values, and where any lacks one the missing ones.
std::vector<report::Drift> drift_of(const std::vector<QuantityProfile>& training,
                                    const std::vector<sources::Quantity>& here,
                                    std::span<const uint32_t> clusters);

}  // namespace fovea::bundle
