#include "fovea/targets/remaining_useful_life.h"

#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/text.h"
#include "tables/cells.h"
#include "targets/labels.h"

namespace fovea::targets {
namespace {

/// One number per line.
std::vector<double> numbers_of(const std::filesystem::path& path, size_t wanted,
                               const tables::NumberFormat& format) {
  const storage::Table table = storage::read_csv(path, {.delimiter = ' ', .columns = {"left"}});
  std::vector<double> numbers;
  for (int64_t row = 0; row < table.rows(); ++row) {
    const auto read = tables::number_in(storage::trimmed(table.cell(row, 0)), format);
    if (!read || read->value < 0)
      throw data_error(fmt::format("{}: {}: found '{}', wanted a number of rows left", table.name(),
                                   table.place(row), storage::escaped(table.cell(row, 0), 40)));
    numbers.push_back(read->value);
  }
  if (numbers.size() != wanted)
    throw data_error(fmt::format("{}: found {} numbers, wanted {}: one for each group of the table",
                                 table.name(), numbers.size(), wanted));
  return numbers;
}

}  // namespace

TargetPtr remaining_useful_life_target(const RemainingUsefulLifeOptions& options,
                                       const TargetPlace& place) {
  const torch::Tensor all = torch::zeros({static_cast<int64_t>(place.cases)});
  auto* values = all.mutable_data_ptr<float>();
  tables::Findings findings;
  const GroupRows groups = place.groups();
  std::vector<double> after(groups.rows.size());  // of each group
  for (const auto& [split, file] : options.after_last) {
    std::vector<size_t> own;
    for (size_t g = 0; g < groups.rows.size(); ++g)
      if (groups.table[g] == split) own.push_back(g);
    if (own.empty())
      throw config_error(
          fmt::format("DataOptions::targets.{}.remaining_useful_life.after_last: found '{}', which "
                      "is not a table of "
                      "DataOptions::table",
                      place.name, split));
    const std::vector<double> numbers = numbers_of(place.root / file, own.size(), place.format);
    for (size_t k = 0; k < own.size(); ++k) after[own[k]] = numbers[k];
  }
  size_t clipped = 0, rows = 0;
  for (size_t g = 0; g < groups.rows.size(); ++g) {
    double left = after[g] + static_cast<double>(groups.rows[g].size());
    for (const int64_t row : groups.rows[g]) {
      --left;
      ++rows;
      clipped += options.clip > 0 && left > options.clip;
      values[row] = static_cast<float>(options.clip > 0 ? std::min(left, options.clip) : left);
    }
  }
  if (clipped > 0)
    findings.notes.push_back(
        fmt::format("target '{}': {} of {} rows have more than {} left and count as it (clip)",
                    place.name, clipped, rows, number(options.clip)));
  return number_of_cases(place.name, all, std::move(findings));
}

}  // namespace fovea::targets
