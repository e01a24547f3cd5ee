#include "fovea/storage/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/text.h"
#include "storage/table_text.h"

namespace fovea::storage {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMostColumns = 100'000;

std::string spoken(char delimiter) {
  switch (delimiter) {
    case ',':
      return "comma";
    case ';':
      return "semicolon";
    case '\t':
      return "tab";
    case '|':
      return "vertical bar";
    case ' ':
      return "blank";
    default:
      return escaped(std::string(1, delimiter));
  }
}

}  // namespace

// Reads the content of a file in place: each cell, without quotes and delimiters, moves to the
// front of the buffer, which never overtakes the reading position.
class CsvReader {
 public:
  CsvReader(const fs::path& path, const CsvOptions& options) : options_(options) {
    table_.files_ = {{path, 0}};
    const int64_t most = std::numeric_limits<uint32_t>::max();
    table_.cells_ = read_file(path, std::min(options.max_bytes, most));
  }

  Table read() {
    in_ = check_table_text(table_.path(), table_.cells_);
    const bool named = !options_.columns.empty();
    if (named) {
      table_.columns_ = options_.columns;
      table_.begins_ = {0};
    } else {
      if (!next_row()) throw fail("found an empty file, wanted a header and at least 1 row");
      take_header();
    }
    check_names();
    while (next_row()) {
      const size_t found = ends_.size();
      if (found != table_.columns_.size()) {
        throw fail(fmt::format("line {}: found {} fields, wanted {} as {}", row_line_, found,
                               table_.columns_.size(),
                               named ? "there are names of columns" : "in the header"));
      }
      table_.begins_.insert(table_.begins_.end(), ends_.begin(), ends_.end());
      table_.lines_.push_back(row_line_);
    }
    if (table_.lines_.empty()) throw fail("found 0 rows after the header, wanted at least 1");
    table_.cells_.resize(out_);
    table_.cells_.shrink_to_fit();
    table_.begins_.shrink_to_fit();
    return std::move(table_);
  }

 private:
  Error fail(const std::string& what) const {
    return data_error(fmt::format("reading table {}: {}", shown(table_.path()), what));
  }

  // Moves the next row that is not empty to the front; ends_ then holds the end of each of its
  // cells.
  bool next_row() {
    const std::string& text = table_.cells_;
    skip_blanks();
    while (in_ < text.size() && at_line_end()) {
      end_line();
      skip_blanks();
    }
    if (in_ >= text.size()) return false;
    ends_.clear();
    row_line_ = line_;
    for (;;) {
      next_cell();
      ends_.push_back(static_cast<uint32_t>(out_));
      if (ends_.size() > kMostColumns)
        throw fail(fmt::format("line {}: found more than {} fields, wanted as many as columns",
                               row_line_, kMostColumns));
      skip_blanks();
      if (in_ >= text.size()) return true;
      if (at_line_end()) return end_line(), true;
      if (options_.delimiter != ' ') ++in_;
    }
  }

  bool at_line_end() const { return table_.cells_[in_] == '\n' || table_.cells_[in_] == '\r'; }

  // Where blanks are the delimiter.
  void skip_blanks() {
    if (options_.delimiter != ' ') return;
    while (in_ < table_.cells_.size() && table_.cells_[in_] == ' ') ++in_;
  }

  void next_cell() {
    std::string& text = table_.cells_;
    if (in_ < text.size() && text[in_] == '"') return next_quoted_cell();
    while (in_ < text.size() && text[in_] != options_.delimiter && text[in_] != '\n' &&
           text[in_] != '\r') {
      text[out_++] = text[in_++];
    }
  }

  void next_quoted_cell() {
    std::string& text = table_.cells_;
    const uint32_t opened = line_;
    ++in_;
    for (;;) {
      if (in_ >= text.size())
        throw fail(fmt::format("quote not closed; it opened on line {}", opened));
      const char c = text[in_];
      if (c == '"') {
        ++in_;
        if (in_ >= text.size() || text[in_] != '"') break;
      } else if (c == '\n' || (c == '\r' && (in_ + 1 >= text.size() || text[in_ + 1] != '\n'))) {
        ++line_;
      }
      text[out_++] = text[in_++];
    }
    const bool ended = in_ >= text.size() || text[in_] == options_.delimiter || text[in_] == '\n' ||
                       text[in_] == '\r';
    if (!ended) {
      throw fail(
          fmt::format("line {}: text after a closing quote; wanted {} or the end of the line "
                      "(a quote inside a quoted cell is written twice)",
                      line_, spoken(options_.delimiter)));
    }
  }

  void end_line() {
    const std::string& text = table_.cells_;
    in_ += text[in_] == '\r' && in_ + 1 < text.size() && text[in_ + 1] == '\n' ? 2 : 1;
    ++line_;
  }

  void take_header() {
    auto& columns = table_.columns_;
    size_t begin = 0;
    for (const uint32_t end : ends_) {
      columns.emplace_back(table_.cells_, begin, end - begin);
      begin = end;
    }
    table_.begins_.assign(1, static_cast<uint32_t>(out_));
    check_delimiter();
  }

  void check_names() const {
    const auto& columns = table_.columns_;
    std::vector<size_t> order(columns.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return columns[a] < columns[b]; });
    for (size_t i = 1; i < order.size(); ++i) {
      if (columns[order[i - 1]] != columns[order[i]]) continue;
      throw fail(fmt::format("line {}: columns {} and {} are both called '{}'; rename one",
                             row_line_, order[i - 1] + 1, order[i] + 1,
                             escaped(columns[order[i]], 100)));
    }
  }

  void check_delimiter() const {
    if (table_.columns_.size() != 1) return;
    for (const char other : {',', ';', '\t', '|'}) {
      if (table_.columns_[0].find(other) == std::string::npos || other == options_.delimiter)
        continue;
      throw fail(
          fmt::format("line {}: found one column with the delimiter {}; the delimiter is "
                      "likely the {}: set DataOptions::delimiter",
                      row_line_, spoken(options_.delimiter), spoken(other)));
    }
  }

  CsvOptions options_;
  Table table_;
  size_t in_ = 0;   // next byte to read
  size_t out_ = 0;  // end of the cells kept so far
  uint32_t line_ = 1;
  uint32_t row_line_ = 1;
  std::vector<uint32_t> ends_;
};

Table read_csv(const fs::path& path, const CsvOptions& options) {
  return CsvReader(path, options).read();
}

CsvWriter::CsvWriter(const std::vector<std::string>& columns) : columns_(columns.size()) {
  for (const std::string& name : columns) text(name);
  end_row();
}

void CsvWriter::start_cell() {
  if (cells_++ > 0) content_ += ',';
}

namespace {

/// A number, whatever its sign: -0.5, +3, 1e5.
bool is_number(std::string_view cell) {
  if (cell.starts_with('+')) cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return error == std::errc() && end == cell.data() + cell.size() && std::isfinite(value);
}

/// What a spreadsheet would run. A sign alone ("-", a class of many tables) is none.
bool is_formula(std::string_view cell) {
  return cell.size() > 1 &&
         std::string_view("=+-@\t\r").find(cell.front()) != std::string_view::npos &&
         !is_number(cell);
}

}  // namespace

CsvWriter& CsvWriter::text(std::string_view cell) {
  start_cell();
  const bool formula = is_formula(cell);
  // An empty text is quoted too: a row of one empty cell would otherwise be an empty line. A
  // semicolon is the delimiter of spreadsheets in many countries.
  const bool plain = !cell.empty() && cell.find_first_of(",;\"\r\n\t") == std::string_view::npos &&
                     std::string_view("=+-@ ").find(cell.front()) == std::string_view::npos &&
                     cell.back() != ' ';
  if (plain) return content_ += cell, *this;
  content_ += '"';
  if (formula) content_ += '\'';
  for (const char c : cell) content_.append(c == '"' ? 2 : 1, c);
  content_ += '"';
  return *this;
}

CsvWriter& CsvWriter::number(double cell) {
  start_cell();
  content_ += std::isnan(cell) ? "nan" : fmt::format("{}", cell);
  return *this;
}

CsvWriter& CsvWriter::number(int64_t cell) {
  start_cell();
  content_ += std::to_string(cell);
  return *this;
}

CsvWriter& CsvWriter::blank() {
  if (columns_ == 1) return text("");
  start_cell();
  return *this;
}

void CsvWriter::end_row() {
  if (cells_ != columns_) {
    throw Error(Fault::internal,
                fmt::format("a CSV row with {} cells under a header with {}", cells_, columns_));
  }
  content_ += '\n';
  cells_ = 0;
}

std::string CsvWriter::take() { return std::exchange(content_, {}); }

}  // namespace fovea::storage
