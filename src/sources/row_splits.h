// The split of every row of a table.
#pragma once

#include "fovea/core/few_names.h"
#include "fovea/sources/data_options.h"
#include "fovea/storage/table.h"

namespace fovea::sources {

struct SplitQuestion {
  const DataOptions& options;
  const storage::Table& table;
  const std::vector<int64_t>& used;                // rows whose class is known
  const std::vector<std::string>& groups;          // of each row of the table, or empty
  const std::vector<targets::TargetPtr>& targets;  // of the used rows
  uint64_t seed;
};

struct RowSplits {
  FewNames splits;  // of each row; "" where nothing says it
  FewNames given;   // the same before any was drawn by shares
  std::vector<std::string> notes;
};

/// By the names of the tables, by a column, in the order of the rows, or drawn by shares.
RowSplits split_rows(const SplitQuestion& question);

/// The split that the table of a row is called by; "" where there is one table.
const std::string& table_split(const DataOptions& options, const storage::Table& table,
                               int64_t row);

}  // namespace fovea::sources
