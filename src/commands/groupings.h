// Which parts of the cases are evaluated apart: `data.subgroups: [sex, age]`, or `--by sex,age,sex+age`.
#pragma once

#include <string>
#include <vector>

#include "fovea/metrics/subgroups.h"
#include "fovea/sources/source.h"

namespace fovea::commands {

/// The columns that `by` names, each once: of "sex+age" both.
std::vector<std::string> columns_of(const std::vector<std::string>& by);

/// A grouping for each entry of `by`, of the cases of one split, or of "all": a column, or several joined by
/// "+", whose values are taken together. A column of numbers with more than 10 different values is cut into
/// four bands that hold about as many cases each; a blank cell is a value of its own. A data Error where a
/// column of words has more than 50 different values: that is not a group.
std::vector<metrics::Grouping> groupings(const sources::Source& source, const std::string& split,
                                         const std::vector<std::string>& by);

}  // namespace fovea::commands
