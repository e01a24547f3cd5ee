#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/text.h"
#include "sources/files.h"
#include "sources/open.h"

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
  TableReader(const DataOptions& options, uint64_t seed)
      : options_(options),
        seed_(seed),
        table_(storage::read_csv(options.table, {.delimiter = options.delimiter[0]})),
        where_(storage::shown(options.table)) {}

  Source read() {
    for (const auto& [name, input] : options_.inputs)
      if (input.column.empty())
        throw config_error("data.inputs." + name +
                           ".column is missing: name the table's column of files");
    if (options_.inputs.empty())
      throw config_error(
          "data.inputs is missing: name the column of files, e.g. {image: {column: filename}}");
    for (int64_t row = 0; row < table_.rows(); ++row) rows_.push_back(row);
    Source source;
    leave_out_unknown_classes(source);
    for (const auto& [name, target] : options_.targets)
      labels_.push_back(read_target(name, target));
    FileCases cases;
    for (const auto& [name, input] : options_.inputs) cases.inputs.push_back(files(name, input));
    if (!missing_.empty()) throw data_error(missing_text());
    cases.ids = ids();
    if (!options_.group.empty()) cases.groups = groups();
    for (const Labels& labels : labels_) cases.targets[labels.spec.name] = labels.values;
    source.splits = splits(cases.groups);
    for (const std::string& column : options_.subgroups)
      source.subgroups.emplace_back(column, texts(column));
    const std::vector<std::string> patients = cases.groups;
    source.data = file_dataset(std::move(cases), options_);
    finish(source, labels_, patients, [&](size_t i) { return line(i); });
    return source;
  }

 private:
  std::string line(size_t i) const { return fmt::format("line {}", table_.line(rows_[i])); }

  std::vector<std::string> texts(const std::string& name) const {
    const int64_t column = table_.column(name);
    std::vector<std::string> result;
    for (const int64_t row : rows_) result.emplace_back(table_.cell(row, column));
    return result;
  }

  // A case whose class is not known can neither train nor test.
  void leave_out_unknown_classes(Source& source) {
    const size_t before = rows_.size();
    for (const auto& [name, target] : options_.targets) {
      if (target.column.size() != 1 || !target.separator.empty() || target.missing.empty())
        continue;
      const int64_t column = table_.column(target.column[0]);
      std::erase_if(rows_, [&, &missing = target.missing](int64_t row) {
        return std::ranges::find(missing, table_.cell(row, column)) != missing.end();
      });
    }
    if (rows_.empty())
      throw data_error(
          fmt::format("{}: of {} rows none is left: every class is among the texts of "
                      "`missing`",
                      where_, before));
    if (rows_.size() < before)
      source.notes.push_back(fmt::format("{}: {} of {} rows left out, their class is not known",
                                         where_, before - rows_.size(), before));
  }

  Labels read_target(const std::string& name, const TargetOptions& target) const {
    if (target.column.empty())
      throw config_error("data.targets." + name +
                         ".column is missing: name the table's column of labels");
    LabelTexts texts;
    texts.where = fmt::format("{}: column{} {}", where_, target.column.size() > 1 ? "s" : "",
                              "'" + join(target.column, "', '", 8) + "'");
    texts.columns = target.column;
    for (const std::string& column : target.column) {
      const int64_t position = table_.column(column);
      auto& cells = texts.cells.emplace_back();
      for (const int64_t row : rows_) cells.push_back(table_.cell(row, position));
    }
    texts.place = [this](size_t i) { return line(i); };
    return read_labels(name, target, texts);
  }

  FileInput files(const std::string& name, const InputOptions& input) {
    const int64_t column = table_.column(input.column);
    const fs::path root = options_.root.empty() ? options_.table.parent_path() : options_.root;
    FileInput result{name, input.channels, {}, {}};
    for (size_t i = 0; i < rows_.size(); ++i) {
      const std::string_view cell = table_.cell(rows_[i], column);
      const fs::path path = (root / input.folder / cell).lexically_normal();
      if (!options_.allow_outside_root) check_inside(root, path, i);
      const std::optional<storage::FileStamp> stamp = cell.empty() ? std::nullopt : stamp_of(path);
      if (!stamp) missing_.push_back(fmt::format("{}: {}", line(i), storage::shown(path)));
      result.files.push_back(path);
      result.stamps.push_back(stamp.value_or(storage::FileStamp{}));
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
    if (real_root_.empty()) real_root_ = fs::weakly_canonical(root, unreadable);
    fs::path& folder = real_folders_[path.parent_path().native()];
    if (folder.empty()) folder = fs::weakly_canonical(path.parent_path(), unreadable);
    fs::path real = folder / path.filename();
    if (fs::is_symlink(path, unreadable)) real = fs::weakly_canonical(path, unreadable);
    if (inside(path, root.lexically_normal()) && inside(real, real_root_)) return;
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
    const std::string& column =
        options_.id.empty() ? options_.inputs.begin()->second.column : options_.id;
    std::vector<std::string> result = texts(column);
    std::unordered_map<std::string_view, size_t> seen;
    for (size_t i = 0; i < result.size(); ++i) {
      const auto [known, added] = seen.try_emplace(result[i], i);
      if (!added)
        throw data_error(fmt::format(
            "{}: column '{}': {} and {} have the same id (hash {}); each case must come once",
            where_, column, line(known->second), line(i), storage::sha256(result[i]).substr(0, 8)));
    }
    return result;
  }

  std::vector<std::string> groups() const {
    std::vector<std::string> result = texts(options_.group);
    std::vector<std::string> blank;
    for (size_t i = 0; i < result.size(); ++i)
      if (result[i].empty()) blank.push_back(line(i));
    if (!blank.empty())
      throw data_error(fmt::format(
          "{}: column '{}': {} rows have no patient ({}); fill them in: without one a patient may "
          "land in two splits",
          where_, options_.group, blank.size(), join(blank, ", ", 5)));
    return result;
  }

  std::vector<std::string> splits(const std::vector<std::string>& groups) const {
    if (options_.split.column.empty())
      return draw_splits(options_.split, labels_, groups, rows_.size(), seed_);
    std::vector<std::string> result = texts(options_.split.column);
    for (size_t i = 0; i < result.size(); ++i) {
      if (result[i].empty())
        throw data_error(fmt::format("{}: column '{}': {} has no split, wanted train, val or test",
                                     where_, options_.split.column, line(i)));
      result[i] = split_named(result[i]);
    }
    return result;
  }

  const DataOptions& options_;
  uint64_t seed_;
  storage::Table table_;
  std::string where_;
  std::vector<int64_t> rows_;  // that are used
  std::vector<Labels> labels_;
  std::vector<std::string> missing_;  // "line 3: scans/a.png"
  fs::path real_root_;
  std::unordered_map<std::string, fs::path> real_folders_;
};

}  // namespace

Source open_table(const DataOptions& options, uint64_t seed) {
  return TableReader(options, seed).read();
}

}  // namespace fovea::sources
