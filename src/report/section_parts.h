// What the sections of all kinds of targets share.
#pragma once

#include <span>

#include "fovea/report/section.h"

namespace fovea::report {

/// With what every kind has: counts, estimates, subgroups, and what a reader must know of both.
/// `groups`: the patient of each case; empty, or empty names, where the data name none.
Section begin_section(const metrics::Evaluated& evaluated, std::span<const std::string> groups,
                      const metrics::Coverage& coverage, const Asked& asked);

/// The position of case i among all; where nobody noted it, its own.
inline uint32_t row_of(const metrics::Coverage& coverage, size_t i) {
  return i < coverage.rows.size() ? coverage.rows[i] : static_cast<uint32_t>(i);
}

/// Leaves kFailures of each type, the widest margins first.
void keep_worst(std::vector<Failure>& failures);

}  // namespace fovea::report
