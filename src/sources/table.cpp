#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "fovea/core/error.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/text.h"
#include "fovea/tables/read_table.h"
#include "fovea/tables/runs.h"
#include "sources/draw_splits.h"
#include "sources/files.h"
#include "sources/named_files.h"
#include "sources/open.h"
#include "sources/row_splits.h"
#include "sources/suspicions.h"
#include "tables/cells.h"
#include "tables/problems.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

class TableReader {
 public:
  TableReader(const DataOptions& options, uint64_t seed, const Named<Node>& fitted)
      : options_(options),
        seed_(seed),
        fitted_(fitted),
        table_(read_all(options)),
        where_(table_.name()) {}

  Source read() {
    begin();
    Source source;
    read_labels_and_splits();
    std::vector<size_t> training;
    for (size_t i = 0; i < rows_.size(); ++i)
      if (splits_.splits[static_cast<size_t>(rows_[i])] == "train") training.push_back(i);
    source.inputs = inputs(training);
    add_suspicions({.options = options_,
                    .table = table_,
                    .used = rows_,
                    .training = training,
                    .inputs = source.inputs,
                    .targets = targets_,
                    .target_columns = target_columns_},
                   findings_);
    say_of_columns();
    Cases cases;
    cases.groups = of_cases(groups_);
    cases.targets = targets_;
    source.splits = of_cases(splits_.splits);
    for (const std::string& column : options_.subgroups)
      source.subgroups.emplace_back(column, texts(column));
    cases.inputs = source.inputs;
    source.add(std::move(findings_));
    const std::function<std::string(size_t)> place = [this](size_t i) { return line(i); };
    for (const targets::TargetPtr& target : targets_)
      target->prepare({source.inputs, place, source.notes});
    // In their order a patient's rows are in several splits, and are meant to be.
    const auto patients = options_.split.chronological ? std::vector<std::string>() : cases.groups;
    source.data = dataset(std::move(cases));
    finish(source, targets_, patients, place);
    return source;
  }

  Source read_cases() {
    asked_ = true;
    begin();
    for (size_t i = 0; i < rows_.size(); ++i) splits_.splits.push_back("test");
    choose_cases();
    Source source;
    Cases cases;
    source.inputs = cases.inputs = inputs({});
    say_of_columns();
    source.splits = of_cases(splits_.splits);
    source.add(std::move(findings_));
    source.data = dataset(std::move(cases));
    return source;
  }

 private:
  static storage::Table read_all(const DataOptions& options) {
    const auto read = [&](const fs::path& path) {
      const fs::path ending = path.extension();
      if (options.conll && ending != ".csv" && ending != ".jsonl") return tables::read_conll(path);
      storage::CsvOptions format = read_options(options, "").csv;
      format.columns = options.columns;
      return tables::read_table(path, format);
    };
    storage::Table table = read(options.table.files[0].second);
    for (size_t i = 1; i < options.table.files.size(); ++i)
      table.append(read(options.table.files[i].second));
    return table;
  }

  void begin() {
    if (options_.inputs.empty())
      throw config_error(
          "nothing says what a case consists of",
          "set DataOptions::inputs, e.g. to {image: {column: filename}} or {table: {columns: [age, "
          "weight]}}");
    for (int64_t row = 0; row < table_.rows(); ++row) rows_.push_back(row);
  }

  /// What the file itself says of the table and of the columns that were read, first of all.
  void say_of_columns() {
    columns_read_.insert({options_.id, options_.group, options_.split.column});
    for (const auto& [target, columns] : target_columns_)
      columns_read_.insert(columns.begin(), columns.end());
    tables::Findings said{.notes = notes_of_file(table_, columns_read_)};
    said.add(std::move(findings_));
    findings_ = std::move(said);
  }

  // What is wrong is gathered: a table is mended in one go.
  void read_labels_and_splits() {
    tables::Problems problems;
    problems.collect([&] { read_groups(); });
    for (const auto& [name, target] : options_.targets)
      problems.collect([&] { targets_.push_back(read_target(name, target)); });
    if (problems.empty()) leave_out_unknown();
    problems.collect([&] { check_groups(); });
    problems.collect([&] {
      splits_ = split_rows({.options = options_,
                            .table = table_,
                            .used = rows_,
                            .groups = groups_,
                            .targets = targets_,
                            .seed = seed_});
      std::ranges::move(splits_.notes, std::back_inserter(findings_.notes));
    });
    if (!problems.empty()) {
      splits_.splits.resize(static_cast<size_t>(table_.rows()));
      splits_.given = splits_.splits;
      problems.collect([&] { inputs({}); });
    }
    problems.raise();
    choose_cases();
  }

  // Without a training split (a table to evaluate on) what there is to fit is fitted to all.
  std::vector<std::pair<std::string, inputs::InputPtr>> inputs(std::vector<size_t> training) {
    if (training.empty())
      for (size_t i = 0; i < rows_.size(); ++i) training.push_back(i);
    const inputs::Rows rows{table_, rows_, columns_read_};
    NamedFiles named(options_, rows);
    std::vector<std::pair<std::string, inputs::InputPtr>> result;
    tables::Problems problems;
    for (const auto& [name, input] : options_.inputs)
      problems.collect([&, &name = name, &input = input] {
        result.emplace_back(
            name, input.make().open({.name = name,
                                     .read = read_options(options_, name, table_.path()),
                                     .rows = rows,
                                     .training = training,
                                     .fitted = fitted_.find(name),
                                     .cases = asked_,
                                     .origins = asked_ || holds_target(name),
                                     .runs = [this]() -> const tables::Runs& { return runs(); },
                                     .files =
                                         [&](const inputs::FileColumn& where) {
                                           if (where.names_case && file_column_.empty())
                                             file_column_ = where.column;
                                           return named.list(where);
                                         },
                                     .findings = findings_}));
      });
    // Of the rows that a model is asked about, to read the file is the error.
    if (!asked_) problems.collect([&] { named.refuse_missing(); });
    problems.raise();
    return result;
  }

  DatasetPtr dataset(Cases cases) const {
    cases.ids = ids();
    std::vector<std::string> files;
    std::vector<std::pair<uint32_t, uint32_t>> lines;  // file, line
    const fs::path* last = nullptr;
    for (const int64_t row : rows_) {
      const fs::path& path = table_.path(row);
      if (&path != last) files.push_back(storage::shown(path));
      last = &path;
      lines.emplace_back(files.size() - 1, static_cast<uint32_t>(table_.line(row)));
    }
    cases.place = [files = std::move(files), lines = std::move(lines)](size_t i) {
      return fmt::format("{}: line {}", files[lines.at(i).first], lines[i].second);
    };
    return case_dataset(std::move(cases));
  }

  std::string line(size_t i) const { return table_.place(rows_[i]); }

  const std::string& split_of(size_t i) const { return table_split(options_, table_, rows_[i]); }

  std::vector<std::string> texts(const std::string& name) const {
    const int64_t column = table_.column(name);
    std::vector<std::string> result;
    for (const int64_t row : rows_) result.emplace_back(table_.cell(row, column));
    return result;
  }

  // A case of which nothing is known can neither train nor test.
  void leave_out_unknown() {
    if (targets_.empty()) return;
    std::vector<int64_t> kept;
    for (int64_t i = 0; i < static_cast<int64_t>(rows_.size()); ++i)
      if (std::ranges::any_of(targets_,
                              [&](const targets::TargetPtr& one) { return one->known(i); }))
        kept.push_back(i);
    if (kept.empty())
      throw data_error(
          fmt::format("{}: of {} rows none is left: every target is among the texts of `missing`",
                      where_, rows_.size()));
    if (kept.size() == rows_.size()) return;
    findings_.notes.push_back(fmt::format("{}: {} of {} rows left out, their {} not known", where_,
                                          rows_.size() - kept.size(), rows_.size(),
                                          targets_.size() > 1 ? "targets are" : "target is"));
    keep(kept);
  }

  /// Of the cases so far those at these places.
  void keep(const std::vector<int64_t>& kept) {
    std::vector<int64_t> rows;
    for (const int64_t i : kept) rows.push_back(rows_[static_cast<size_t>(i)]);
    rows_ = std::move(rows);
    for (const targets::TargetPtr& one : targets_) one->keep(kept);
  }

  /// Whether a target lies in the space of the input.
  bool holds_target(const std::string& input) const {
    return std::ranges::any_of(
        targets_, [&](const targets::TargetPtr& target) { return target->spec().input == input; });
  }

  targets::TargetPtr read_target(const std::string& name, const targets::TargetChoice& target) {
    return target.make({.name = name,
                        .where = where_,
                        .cases = rows_.size(),
                        .cells =
                            [&](const std::string& column) {
                              target_columns_[name].push_back(column);
                              return cells(column);
                            },
                        .line = [this](size_t i) { return line(i); },
                        .groups = [this] { return groups_of_tables(); },
                        .root = folder_of(options_, table_.path()),
                        .format = tables::number_format(read_options(options_, "").numbers, table_),
                        .symbols = table_.path().extension() == ".atr"});
  }

  targets::GroupRows groups_of_tables() const {
    FewNames tables;
    for (int64_t row = 0; row < table_.rows(); ++row)
      tables.push_back(table_split(options_, table_, row));
    tables::Runs runs = tables::make_runs(tables.size(), groups_, tables);
    targets::GroupRows result{.rows = std::move(runs.rows), .table = {}};
    for (const std::vector<int64_t>& rows : result.rows)
      result.table.push_back(tables[static_cast<size_t>(rows[0])]);
    return result;
  }

  std::vector<std::string_view> cells(const std::string& name) const {
    const int64_t column = table_.column(name);
    std::vector<std::string_view> result;
    for (const int64_t row : rows_) result.push_back(table_.cell(row, column));
    return result;
  }

  std::vector<std::string> ids() const {
    const std::string& column = options_.id.empty() ? file_column_ : options_.id;
    std::vector<std::string> result;
    if (column.empty())
      for (size_t i = 0; i < rows_.size(); ++i)
        result.push_back(fmt::format("{}line {}", split_of(i).empty() ? "" : split_of(i) + " ",
                                     table_.line(rows_[i])));
    else
      result = texts(column);
    if (const auto same = first_repeated(result))
      throw data_error(fmt::format(
          "{}: column '{}': {} and {} have the same id (hash {}); each case must come once", where_,
          column, line(same->first), line(same->second), storage::pseudonym(result[same->first])));
    return result;
  }

  // Of every row of the table, those of no case too.
  void read_groups() {
    if (options_.group.empty()) return;
    const int64_t column = table_.column(options_.group);
    size_t padded = 0;
    for (int64_t row = 0; row < table_.rows(); ++row) {
      const std::string_view cell = table_.cell(row, column);
      groups_.emplace_back(storage::trimmed(cell));
      padded += groups_.back().size() < cell.size();
      if (options_.group_per_table)
        groups_.back().insert(0, table_split(options_, table_, row) + " ");
    }
    if (padded > 0)
      findings_.notes.push_back(
          fmt::format("{}: column '{}': {} of {} cells have blanks around, which are left out",
                      where_, options_.group, padded, table_.rows()));
    add_alike_groups(options_.group, table_, groups_, findings_);
  }

  void check_groups() const {
    if (options_.group.empty()) return;
    const int64_t column = table_.column(options_.group);
    std::vector<std::string> blank;
    for (const int64_t row : rows_)
      if (const std::string_view who = storage::trimmed(table_.cell(row, column));
          who.empty() || tables::means_missing(who))
        blank.push_back(table_.place(row));
    if (!blank.empty())
      throw data_error(fmt::format("{}: column '{}': {} rows have no patient ({})", where_,
                                   options_.group, blank.size(), join(blank, ", ", 5)),
                       "fill them in: without one a patient may land in two splits");
  }

  // Where rows are drawn one by one, a window sees its neighbours whatever their split.
  const tables::Runs& runs() {
    if (!runs_.run.empty()) return runs_;
    if (groups_.empty()) read_groups();
    return runs_ = tables::make_runs(static_cast<size_t>(table_.rows()), groups_,
                                     groups_.empty() ? splits_.given : splits_.splits);
  }

  void choose_cases() {
    if (options_.rows.every == 1 && options_.rows.last.empty()) return;
    std::vector<std::string> last = options_.rows.last;
    for (std::string& name : last) {
      if (const std::string why = why_not_a_split(name); !why.empty())
        throw config_error("RowOptions::last: " + why);
      name = split_named(name);
    }
    std::vector<int64_t> kept;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const auto row = static_cast<size_t>(rows_[i]);
      const size_t next = runs().position[row] + 1;
      const bool only_last = std::ranges::find(last, splits_.splits[row]) != last.end();
      if (only_last ? next < runs().rows[runs().run[row]].size()
                    : next % static_cast<size_t>(options_.rows.every) != 0)
        continue;
      kept.push_back(static_cast<int64_t>(i));
    }
    if (kept.empty())
      throw data_error(
          fmt::format("{}: of {} rows none is a case: no patient has {} rows (DataOptions::rows)",
                      where_, rows_.size(), options_.rows.every));
    keep(kept);
  }

  template <class Texts>  // std::vector<std::string> or FewNames
  Texts of_cases(const Texts& of_rows) const {
    Texts result;
    for (size_t i = 0; i < rows_.size() && !of_rows.empty(); ++i)
      result.push_back(of_rows[static_cast<size_t>(rows_[i])]);
    return result;
  }

  const DataOptions& options_;
  uint64_t seed_;
  const Named<Node>& fitted_;
  storage::Table table_;
  std::string where_;
  std::vector<int64_t> rows_;  // that are used
  std::vector<targets::TargetPtr> targets_;
  bool asked_ = false;               // a model is asked about the rows
  std::vector<std::string> groups_;  // of each row of the table; empty: each is its own
  RowSplits splits_;
  tables::Runs runs_;
  tables::Findings findings_;
  std::set<std::string> columns_read_;                              // by inputs
  std::map<std::string, std::vector<std::string>> target_columns_;  // by each target
  std::string file_column_;                                         // whose files are one per case
};

}  // namespace

Source open_table(const DataOptions& options, uint64_t seed, const Named<Node>& fitted) {
  return TableReader(options, seed, fitted).read();
}

Source open_cases(const fs::path& table, const DataOptions& options, const Named<Node>& fitted) {
  DataOptions here = options;
  here.table = table;
  for (const auto& [split, file] : options.table.files)
    if (here.root == file.parent_path()) here.root.clear();
  return TableReader(here, 0, fitted).read_cases();
}

}  // namespace fovea::sources
