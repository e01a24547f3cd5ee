#include "fovea/storage/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/file.h"
#include "fovea/storage/text.h"

namespace fovea::storage {
namespace fs = std::filesystem;
namespace {

bool is_number_or_date(const std::string& text) {
  return text.find_first_of("0123456789") != std::string::npos &&
         text.find_first_not_of("0123456789.,:-/+ ") == std::string::npos;
}

/// Where the header is missing, the first row stands in its place: values, perhaps a patient's, of
/// which some are numbers and some are not.
bool looks_like_a_row(const std::vector<std::string>& names) {
  const auto numbers = std::ranges::count_if(names, is_number_or_date);
  const auto blank = std::ranges::count(names, std::string());
  return numbers > 0 && numbers + blank < std::ssize(names);
}

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 100;
  if (looks_like_a_row(names))
    return fmt::format(
        "{}, which are not shown, because some are numbers or dates: is the line of "
        "names missing?",
        names.size());
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i ? ", " : "") + escaped(names[i], 100);
  }
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  return text;
}

void check_room(const fs::path& path, size_t bytes) {
  if (bytes > std::numeric_limits<uint32_t>::max())
    throw data_error(
        fmt::format("reading table {}: found more than 4 GiB of text, wanted less", shown(path)),
        "leave out columns or rows");
}

}  // namespace

std::optional<int64_t> Table::find_column(std::string_view name) const {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found == columns_.end()) return std::nullopt;
  return found - columns_.begin();
}

int64_t Table::column(std::string_view name) const {
  if (const auto found = find_column(name)) return *found;
  const std::string near = looks_like_a_row(columns_) ? "" : nearest(name, columns_);
  throw data_error(fmt::format("table {}: no column '{}'{}", this->name(), escaped(name, 100),
                               near.empty() ? "" : "; did you mean '" + escaped(near, 100) + "'?"),
                   "columns found: " + listed(columns_));
}

std::string_view Table::cell(int64_t row, int64_t column) const {
  const size_t at = static_cast<size_t>(row) * columns_.size() + static_cast<size_t>(column);
  return std::string_view(cells_).substr(begins_[at], begins_[at + 1] - begins_[at]);
}

const fs::path& Table::path(int64_t row) const {
  const auto next = std::ranges::upper_bound(files_, row, {}, &File::first_row);
  return (next == files_.begin() ? next : next - 1)->path;
}

std::string Table::name() const {
  const std::string first = shown(path());
  return files_.size() == 1 ? first : fmt::format("{} and {} more", first, files_.size() - 1);
}

std::string Table::place(int64_t row) const {
  const std::string where = fmt::format("line {}", line(row));
  return files_.size() == 1 ? where : shown(path(row)) + ": " + where;
}

void Table::append(const Table& other) {
  if (other.columns_ != columns_) {
    const size_t most = std::min(columns_.size(), other.columns_.size());
    size_t at = 0;
    while (at < most && columns_[at] == other.columns_[at]) ++at;
    const auto text = [at](const std::vector<std::string>& names) -> std::string {
      if (at >= names.size()) return "none";
      return looks_like_a_row(names) ? "of a line of values" : "'" + escaped(names[at], 100) + "'";
    };
    throw data_error(fmt::format(
        "reading table {}: column {} is {}, that of {} is {}; wanted the same columns in the same "
        "order",
        other.name(), at + 1, text(other.columns_), name(), text(columns_)));
  }
  const uint32_t first = other.begins_[0];  // before it are the names
  const size_t added = other.cells_.size() - first;
  check_room(other.path(), cells_.size() + added);
  const auto end = static_cast<uint32_t>(cells_.size());
  for (const File& file : other.files_) files_.push_back({file.path, rows() + file.first_row});
  cells_.append(other.cells_, first, added);
  for (size_t i = 1; i < other.begins_.size(); ++i)
    begins_.push_back(end + other.begins_[i] - first);
  lines_.insert(lines_.end(), other.lines_.begin(), other.lines_.end());
  notes_.insert(notes_.end(), other.notes_.begin(), other.notes_.end());
  for (size_t i = 0; i < column_notes_.size(); ++i)
    column_notes_[i].insert(column_notes_[i].end(), other.column_notes_[i].begin(),
                            other.column_notes_[i].end());
}

void Table::name_columns(std::vector<std::string> names) {
  columns_ = std::move(names);
  column_notes_.resize(columns_.size());
}

TableBuilder::TableBuilder(const fs::path& path, std::vector<std::string> columns) {
  table_.files_ = {{path, 0}};
  table_.name_columns(std::move(columns));
  table_.begins_ = {0};
}

void TableBuilder::note(size_t column, std::string text) {
  table_.column_notes_.at(column).push_back(std::move(text));
}

void TableBuilder::add(int64_t line, const std::vector<std::string>& cells) {
  if (cells.size() != table_.columns_.size())
    throw Error(Fault::internal, fmt::format("a row with {} cells in a table of {} columns",
                                             cells.size(), table_.columns_.size()));
  for (const std::string& cell : cells) {
    table_.cells_ += cell;
    check_room(table_.path(), table_.cells_.size());
    table_.begins_.push_back(static_cast<uint32_t>(table_.cells_.size()));
  }
  table_.lines_.push_back(static_cast<uint32_t>(line));
}

}  // namespace fovea::storage
