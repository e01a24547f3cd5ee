#include "fovea/tables/runs.h"

#include <map>
#include <string_view>
#include <utility>

namespace fovea::tables {

Runs make_runs(size_t rows, const std::vector<std::string>& groups, const FewNames& splits) {
  Runs runs;
  std::map<std::pair<std::string_view, std::string_view>, size_t> known;
  for (size_t row = 0; row < rows; ++row) {
    const std::string_view split = splits.empty() ? "" : std::string_view(splits[row]);
    size_t run = runs.rows.size();
    if (!groups.empty())
      run = known.try_emplace({groups[row], split}, run).first->second;
    else if (row > 0 && (splits.empty() || splits[row] == splits[row - 1]))
      run = runs.rows.size() - 1;
    if (run == runs.rows.size()) runs.rows.emplace_back();
    runs.run.push_back(run);
    runs.position.push_back(runs.rows[run].size());
    runs.rows[run].push_back(static_cast<int64_t>(row));
  }
  return runs;
}

}  // namespace fovea::tables
