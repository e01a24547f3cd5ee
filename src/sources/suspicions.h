// What is likely a mistake about the columns of a table, and what each was taken for.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fovea/sources/data_options.h"

namespace fovea::sources {

struct TableInUse {
  const DataOptions& options;
  const storage::Table& table;
  const std::vector<int64_t>& used;     ///< the rows that are cases
  const std::vector<size_t>& training;  ///< the rows that are learned from
  const std::vector<std::pair<std::string, inputs::InputPtr>>& inputs;
  const std::vector<targets::TargetPtr>& targets;                         ///< of the rows
  const std::map<std::string, std::vector<std::string>>& target_columns;  ///< read by each target
};

/// What the file says of the table and of these columns (`Table::notes`).
std::vector<std::string> notes_of_file(const storage::Table& table,
                                       const std::set<std::string>& columns);

/// A problem: a target among the inputs, or a copy of it: a column each of whose values goes with
/// one value of the target in all training rows, and the other way round, or a multiple of it. A
/// warning: an identifier among them (texts, or whole numbers, no two of which are equal), or the
/// column of patient, id or split. Texts are described, too.
void add_suspicions(const TableInUse& table, tables::Findings& findings);

/// The groups that differ only in case, blanks or zeros ("p1", "P1"; "001", "1"), as a warning with
/// their lines; `groups`: of each row of the table.
void add_alike_groups(const std::string& column, const storage::Table& table,
                      const std::vector<std::string>& groups, tables::Findings& findings);

/// Two places with one text; nothing where all differ.
std::optional<std::pair<size_t, size_t>> first_repeated(const std::vector<std::string>& texts);

}  // namespace fovea::sources
