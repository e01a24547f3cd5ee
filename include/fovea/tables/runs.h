// Rows that follow one another: what a window of a series may see.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fovea/core/few_names.h"

namespace fovea::tables {

/// The rows of a table in runs: those of one group in one split, in the order of the table.
struct Runs {
  std::vector<std::vector<int64_t>> rows;  ///< of each run
  std::vector<size_t> run;                 ///< of each row of the table
  std::vector<size_t> position;            ///< of each row in its run
};

/// `groups` and `splits` of each row; either may be empty. Without groups a run also ends where the
/// split changes.
Runs make_runs(size_t rows, const std::vector<std::string>& groups, const FewNames& splits);

}  // namespace fovea::tables
