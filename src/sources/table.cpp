#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/text.h"
#include "sources/files.h"
#include "sources/open.h"
#include "sources/row_splits.h"
#include "sources/text_places.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShown = 20;  // of the files that do not exist

/// Writes lines too many for a message to a file of the working folder, or of the temporary folder
/// where that cannot be written, and says where they are.
std::string keep_list(const char* name, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  std::string failure;
  std::error_code ignored;
  for (const fs::path& folder : {fs::current_path(ignored), fs::temp_directory_path(ignored)}) {
    try {
      storage::write_file_atomically(folder / name, text);
      return "all of them are in " + storage::shown(folder / name);
    } catch (const Error& error) {
      failure = error.what();
    }
  }
  return "the list of all could not be written: " + failure;
}

class TableReader {
 public:
  TableReader(const DataOptions& options, uint64_t seed, const Named<Node>& learned)
      : options_(options),
        seed_(seed),
        learned_(learned),
        table_(read_all(options)),
        where_(table_.name()) {}

  Source read() {
    begin();
    read_groups();
    Source source;
    for (const auto& [name, target] : options_.targets)
      labels_.push_back(read_target(name, target));
    leave_out_unknown(source);
    check_groups();
    splits_ = split_rows({.options = options_,
                          .table = table_,
                          .used = rows_,
                          .groups = groups_,
                          .labels = labels_,
                          .seed = seed_});
    choose_cases();
    Cases cases;
    cases.groups = of_cases(groups_);
    for (const Labels& labels : labels_) {
      cases.specs.push_back(labels.spec);
      if (!labels.spec.ragged()) cases.targets[labels.spec.name] = labels.values;
    }
    source.splits = of_cases(splits_.splits);
    for (const std::string& column : options_.subgroups)
      source.subgroups.emplace_back(column, texts(column));
    std::vector<size_t> training;
    for (size_t i = 0; i < rows_.size(); ++i)
      if (source.splits[i] == "train") training.push_back(i);
    source.inputs = cases.inputs = inputs(training);
    add_tags(cases, labels_, source.notes, [&](size_t i) { return line(i); });
    add_text_places(cases, options_.targets, asked_);
    // In their order a patient's rows are in several splits, and are meant to be.
    const auto patients = options_.split.chronological ? std::vector<std::string>() : cases.groups;
    source.data = dataset(std::move(cases));
    finish(source, labels_, patients, [&](size_t i) { return line(i); });
    return source;
  }

  DatasetPtr read_cases() {
    asked_ = true;
    begin();
    splits_.splits.assign(rows_.size(), "test");
    choose_cases();
    Cases cases;
    cases.inputs = inputs({});
    add_text_places(cases, options_.targets, asked_);
    return dataset(std::move(cases));
  }

 private:
  static storage::Table read_all(const DataOptions& options) {
    const auto read = [&](const fs::path& path) {
      const fs::path ending = path.extension();
      if (options.conll && ending != ".csv" && ending != ".jsonl") return read_conll(path);
      return read_table(path, options.delimiter[0], options.columns);
    };
    storage::Table table = read(options.table.files[0].second);
    for (size_t i = 1; i < options.table.files.size(); ++i)
      table.append(read(options.table.files[i].second));
    return table;
  }

  void begin() {
    if (options_.inputs.empty())
      throw config_error(
          "data.inputs is missing: say what a case consists of, e.g. {image: {column: filename}} "
          "or "
          "{table: {columns: [age, weight]}}");
    for (int64_t row = 0; row < table_.rows(); ++row) rows_.push_back(row);
  }

  // Without a training split (a table to evaluate on) what there is to be learned comes from all.
  std::vector<std::pair<std::string, InputPtr>> inputs(std::vector<size_t> training) {
    if (training.empty())
      for (size_t i = 0; i < rows_.size(); ++i) training.push_back(i);
    const Rows rows{table_, rows_};
    std::vector<std::pair<std::string, InputPtr>> result;
    for (const auto& [name, input] : options_.inputs)
      result.emplace_back(
          name, input.make({.name = name,
                            .data = options_,
                            .rows = rows,
                            .training = training,
                            .learned = learned_.find(name),
                            .cases = asked_,
                            .runs = [this]() -> const Runs& { return runs(); },
                            .files = [this](const FileColumn& where) { return files(where); }}));
    if (!missing_.empty()) throw data_error(missing_text());
    return result;
  }

  DatasetPtr dataset(Cases cases) const {
    cases.ids = ids();
    std::vector<std::string> files;
    std::vector<std::pair<size_t, int64_t>> lines;  // file, line
    const fs::path* last = nullptr;
    for (const int64_t row : rows_) {
      const fs::path& path = table_.path(row);
      if (&path != last) files.push_back(storage::shown(path));
      last = &path;
      lines.emplace_back(files.size() - 1, table_.line(row));
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
  void leave_out_unknown(Source& source) {
    if (labels_.empty()) return;
    std::vector<int64_t> kept;
    for (int64_t i = 0; i < static_cast<int64_t>(rows_.size()); ++i)
      if (std::ranges::any_of(labels_, [&](const Labels& one) { return one.known(i); }))
        kept.push_back(i);
    if (kept.empty())
      throw data_error(
          fmt::format("{}: of {} rows none is left: every target is among the texts of `missing`",
                      where_, rows_.size()));
    if (kept.size() == rows_.size()) return;
    source.notes.push_back(fmt::format("{}: {} of {} rows left out, their {} not known", where_,
                                       rows_.size() - kept.size(), rows_.size(),
                                       labels_.size() > 1 ? "targets are" : "target is"));
    keep(kept);
  }

  /// Of the cases so far those at these places.
  void keep(const std::vector<int64_t>& kept) {
    std::vector<int64_t> rows;
    for (const int64_t i : kept) rows.push_back(rows_[static_cast<size_t>(i)]);
    rows_ = std::move(rows);
    for (Labels& one : labels_)
      one.values = one.values.index_select(0, torch::tensor(kept, torch::kInt64));
  }

  Labels read_target(const std::string& name, const TargetChoice& target) const {
    return target.make({.name = name,
                        .where = where_,
                        .cases = rows_.size(),
                        .cells = [this](const std::string& column) { return cells(column); },
                        .line = [this](size_t i) { return line(i); },
                        .groups = [this] { return groups_of_tables(); },
                        .root = folder_of(options_, table_.path())});
  }

  GroupRows groups_of_tables() const {
    std::vector<std::string> tables;
    for (int64_t row = 0; row < table_.rows(); ++row)
      tables.push_back(table_split(options_, table_, row));
    Runs runs = make_runs(tables.size(), groups_, tables);
    GroupRows result{.rows = std::move(runs.rows), .table = {}};
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

  std::vector<ListedFile> files(const FileColumn& where) {
    const int64_t column = table_.column(where.column);
    std::vector<ListedFile> result;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const fs::path root = folder_of(options_, table_.path(rows_[i]));
      const std::string_view cell = table_.cell(rows_[i], column);
      if (where.optional && cell.empty()) {
        result.emplace_back();
        continue;
      }
      fs::path path = (root / where.folder / cell).lexically_normal();
      if (!where.ending.empty() && !path.string().ends_with(where.ending) && !stamp_of(path))
        path += where.ending;
      if (!options_.allow_outside_root) check_inside(root, path, i);
      const std::optional<storage::FileStamp> stamp = cell.empty() ? std::nullopt : stamp_of(path);
      if (!stamp) missing_.push_back(fmt::format("{}: {}", line(i), storage::shown(path)));
      result.push_back({path, stamp.value_or(storage::FileStamp{})});
    }
    return result;
  }

  // Neither by "..", nor by an absolute name, nor by a link.
  void check_inside(const fs::path& root, const fs::path& path, size_t i) {
    const auto inside = [](const fs::path& inner, const fs::path& outer) {
      const fs::path relative = inner.lexically_relative(outer);
      return !relative.empty() && *relative.begin() != "..";
    };
    std::error_code unreadable;
    fs::path& real_root = real_folders_[root.native()];
    if (real_root.empty()) real_root = fs::weakly_canonical(root, unreadable);
    fs::path& folder = real_folders_[path.parent_path().native()];
    if (folder.empty()) folder = fs::weakly_canonical(path.parent_path(), unreadable);
    fs::path real = folder / path.filename();
    if (fs::is_symlink(path, unreadable)) real = fs::weakly_canonical(path, unreadable);
    if (inside(path, root.lexically_normal()) && inside(real, real_folders_[root.native()])) return;
    throw data_error(
        fmt::format("{}: {}: the file {} lies outside the root {}; correct the row, or set "
                    "data.allow_outside_root",
                    where_, line(i), storage::shown(real), storage::shown(root)));
  }

  std::string missing_text() const {
    std::string list;
    for (size_t k = 0; k < std::min(missing_.size(), kShown); ++k) list += "\n  " + missing_[k];
    if (missing_.size() > kShown)
      list += fmt::format("\n  … and {} more; {}", missing_.size() - kShown,
                          keep_list("missing-files.txt", missing_));
    return fmt::format(
        "{}: {} of {} files do not exist; correct the table, data.root or data.inputs.NAME.folder:"
        "{}",
        where_, missing_.size(), rows_.size() * options_.inputs.size(), list);
  }

  std::vector<std::string> ids() const {
    std::string column = options_.id;
    for (const auto& [name, input] : options_.inputs)
      if (const auto* image = input.as<ImageOptions>(); image && !image->optional && column.empty())
        column = image->column;
    std::vector<std::string> result;
    if (column.empty())
      for (size_t i = 0; i < rows_.size(); ++i)
        result.push_back(fmt::format("{}line {}", split_of(i).empty() ? "" : split_of(i) + " ",
                                     table_.line(rows_[i])));
    else
      result = texts(column);
    std::unordered_map<std::string_view, size_t> seen;
    for (size_t i = 0; i < result.size(); ++i) {
      const auto [known, added] = seen.try_emplace(result[i], i);
      if (!added)
        throw data_error(fmt::format(
            "{}: column '{}': {} and {} have the same id (hash {}); each case must come once",
            where_, column, line(known->second), line(i), storage::pseudonym(result[i])));
    }
    return result;
  }

  // Of every row of the table, those of no case too.
  void read_groups() {
    if (options_.group.empty()) return;
    const int64_t column = table_.column(options_.group);
    for (int64_t row = 0; row < table_.rows(); ++row) {
      groups_.emplace_back(table_.cell(row, column));
      if (options_.group_per_table)
        groups_.back().insert(0, table_split(options_, table_, row) + " ");
    }
  }

  void check_groups() const {
    if (options_.group.empty()) return;
    const int64_t column = table_.column(options_.group);
    std::vector<std::string> blank;
    for (const int64_t row : rows_)
      if (table_.cell(row, column).empty()) blank.push_back(table_.place(row));
    if (!blank.empty())
      throw data_error(fmt::format(
          "{}: column '{}': {} rows have no patient ({}); fill them in: without one a patient may "
          "land in two splits",
          where_, options_.group, blank.size(), join(blank, ", ", 5)));
  }

  // Where rows are drawn one by one, a window sees its neighbours whatever their split.
  const Runs& runs() {
    if (!runs_.run.empty()) return runs_;
    if (groups_.empty()) read_groups();
    return runs_ = make_runs(static_cast<size_t>(table_.rows()), groups_,
                             groups_.empty() ? splits_.given : splits_.splits);
  }

  void choose_cases() {
    if (options_.rows.every == 1 && options_.rows.last.empty()) return;
    std::vector<std::string> last = options_.rows.last;
    for (std::string& name : last) name = split_named(name);
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
          fmt::format("{}: of {} rows none is a case: no patient has {} rows (data.rows)", where_,
                      rows_.size(), options_.rows.every));
    keep(kept);
  }

  std::vector<std::string> of_cases(const std::vector<std::string>& of_rows) const {
    std::vector<std::string> result;
    for (size_t i = 0; i < rows_.size() && !of_rows.empty(); ++i)
      result.push_back(of_rows[static_cast<size_t>(rows_[i])]);
    return result;
  }

  const DataOptions& options_;
  uint64_t seed_;
  const Named<Node>& learned_;
  storage::Table table_;
  std::string where_;
  std::vector<int64_t> rows_;  // that are used
  std::vector<Labels> labels_;
  bool asked_ = false;               // a model is asked about the rows
  std::vector<std::string> groups_;  // of each row of the table; empty: each is its own
  RowSplits splits_;
  Runs runs_;
  std::vector<std::string> missing_;  // "line 3: scans/a.png"
  std::unordered_map<std::string, fs::path> real_folders_;
};

}  // namespace

Source open_table(const DataOptions& options, uint64_t seed, const Named<Node>& learned) {
  return TableReader(options, seed, learned).read();
}

DatasetPtr open_cases(const fs::path& table, const DataOptions& options,
                      const Named<Node>& learned) {
  DataOptions here = options;
  here.table = table;
  for (const auto& [split, file] : options.table.files)
    if (here.root == file.parent_path()) here.root.clear();
  return TableReader(here, 0, learned).read_cases();
}

}  // namespace fovea::sources
