#include "sources/row_splits.h"
#include "sources/draw_splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/data/splits.h"
#include "fovea/storage/text.h"
#include "fovea/tables/runs.h"

namespace fovea::sources {
namespace {

constexpr const char* kDivided = "rows that shares are of";

class RowSplitter {
 public:
  explicit RowSplitter(const SplitQuestion& question)
      : q_(question),
        options_(question.options.split),
        rows_(static_cast<size_t>(q_.table.rows())) {}

  RowSplits split() {
    for (const auto& [name, share] : options_.fractions)
      if (const std::string why = why_not_a_split(name); !why.empty())
        throw config_error("DataOptions::split: " + why);
    splits_.resize(rows_);
    const bool by_table = q_.options.table.by_split();
    if (by_table) name_by_table();
    if (!options_.column.empty())
      read_column();
    else if (!by_table || !options_.fractions.empty())
      divide();
    FewNames given = splits_;
    draw();
    return {std::move(splits_), std::move(given), std::move(notes_)};
  }

 private:
  void name_by_table() {
    for (const auto& [name, file] : q_.options.table.files)
      if (const std::string why = why_not_a_split(name); !why.empty())
        throw config_error("DataOptions::table: " + why);
    for (size_t row = 0; row < rows_; ++row)
      splits_.set(row, split_named(table_split(q_.options, q_.table, static_cast<int64_t>(row))));
    for (const auto& [name, share] : options_.fractions) {
      const bool table = splits_.contains(split_named(name));
      if (table != (split_named(name) == "train"))
        throw config_error(
            fmt::format("DataOptions::split: found a share for '{}'; where DataOptions::table "
                        "names a table for "
                        "each split, shares divide the one called train{}",
                        name, table ? ", and no other table may have the name of a share" : ""));
    }
  }

  void read_column() {
    const int64_t column = q_.table.column(options_.column);
    std::map<std::string, std::vector<std::string>> wrong;  // what is wrong, lines
    std::map<std::string, int64_t> others;                  // splits of names of their own
    for (const int64_t row : q_.used) {
      const std::string_view cell = q_.table.cell(row, column);
      const std::string why = storage::trimmed(cell).empty() ? "no split, wanted train, val or test"
                                                             : why_not_a_split(cell);
      if (!why.empty()) wrong[why].push_back(q_.table.place(row));
      if (const std::string split = split_named(cell); why.empty() && !usual(split))
        ++others[split];
    }
    std::string text;
    for (const auto& [why, lines] : wrong)
      text += fmt::format("{}{} rows ({}): {}", text.empty() ? "" : "; ", lines.size(),
                          join(lines, ", ", 5), why);
    if (!text.empty())
      throw data_error(fmt::format("{}: column '{}': {}", q_.table.name(), options_.column, text),
                       "correct the column");
    for (const auto& [split, count] : others)
      notes_.push_back(
          fmt::format("{}: column '{}': {} rows are in a split of its own name, '{}', "
                      "which neither trains nor validates",
                      q_.table.name(), options_.column, count, split));
    for (size_t row = 0; row < rows_; ++row)
      splits_.set(row, split_named(q_.table.cell(static_cast<int64_t>(row), column)));
  }

  static bool usual(const std::string& split) {
    return split == "train" || split == "val" || split == "test";
  }

  // In their order at once, else left blank for `draw`.
  void divide() {
    for (size_t row = 0; row < rows_; ++row)
      if (splits_[row].empty() || splits_[row] == "train")
        splits_.set(row, options_.chronological ? kDivided : "");
    if (!options_.chronological) return;
    for (const std::vector<int64_t>& run : tables::make_runs(rows_, q_.groups, splits_).rows) {
      if (splits_[static_cast<size_t>(run[0])] != kDivided) continue;
      const auto divided = split_in_order(run.size(), options_.fractions);
      for (size_t k = 0; k < run.size(); ++k)
        splits_.set(static_cast<size_t>(run[k]), split_named(divided[k]));
    }
  }

  void draw() {
    std::vector<int64_t> cases;  // positions among the used rows
    std::vector<std::string> groups;
    for (size_t i = 0; i < q_.used.size(); ++i) {
      const auto row = static_cast<size_t>(q_.used[i]);
      if (!splits_[row].empty()) continue;
      cases.push_back(static_cast<int64_t>(i));
      if (!q_.groups.empty()) groups.push_back(q_.groups[row]);
    }
    if (cases.empty()) return;
    const auto drawn = draw_splits(options_, q_.targets, cases, groups, q_.seed);
    std::unordered_map<std::string_view, std::string_view> of_group;
    for (size_t k = 0; k < cases.size(); ++k) {
      splits_.set(static_cast<size_t>(q_.used[static_cast<size_t>(cases[k])]), drawn[k]);
      if (!groups.empty()) of_group.emplace(groups[k], drawn[k]);
    }
    // Rows of no case, which windows see.
    for (size_t row = 0; row < rows_ && !of_group.empty(); ++row) {
      const auto own = of_group.find(q_.groups[row]);
      if (splits_[row].empty() && own != of_group.end()) splits_.set(row, own->second);
    }
  }

  const SplitQuestion& q_;
  const SplitOptions& options_;
  size_t rows_;
  FewNames splits_;
  std::vector<std::string> notes_;
};

}  // namespace

RowSplits split_rows(const SplitQuestion& question) { return RowSplitter(question).split(); }

const std::string& table_split(const DataOptions& options, const storage::Table& table,
                               int64_t row) {
  const auto& files = options.table.files;
  return std::ranges::find(files, table.path(row), [](auto& file) { return file.second; })->first;
}

}  // namespace fovea::sources
