#include "fovea/storage/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
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

std::string printed(char delimiter) {
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

/// Whether a word of the names has a letter: those of years or numbers may well be cells, too.
bool has_letter(const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [](const std::string& name) {
    return std::ranges::any_of(name,
                               [](unsigned char c) { return std::isalpha(c) != 0 || c >= 0x80; });
  });
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
    if (!options_.columns.empty()) {
      table_.name_columns(options_.columns);
      table_.begins_ = {0};
    } else {
      if (!next_row()) throw fail("found an empty file, wanted a header and at least 1 row");
      take_header();
    }
    check_names();
    names_are_words_ = has_letter(table_.columns_);
    for (size_t begin = out_; next_row(); begin = out_) {
      if (ends_.size() != table_.columns_.size()) {
        other_rows_.emplace_back(row_line_, ends_.size());
        out_ = begin;
        continue;
      }
      check_row(begin);
      table_.begins_.insert(table_.begins_.end(), ends_.begin(), ends_.end());
      table_.lines_.push_back(row_line_);
    }
    refuse_other_rows();
    if (table_.lines_.empty()) throw fail("found 0 rows after the header, wanted at least 1");
    table_.cells_.resize(out_);
    table_.cells_.shrink_to_fit();
    table_.begins_.shrink_to_fit();
    return std::move(table_);
  }

 private:
  Error fail(const std::string& problem, const std::string& remedy = "") const {
    Error error = data_error(problem, remedy);
    error.add_place("reading table " + shown(table_.path()));
    return error;
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
    delimiters_ = 0;
    all_whole_ = true;
    for (;;) {
      next_cell();
      ends_.push_back(static_cast<uint32_t>(out_));
      if (ends_.size() > kMostColumns)
        throw fail(fmt::format("line {}: found more than {} fields, wanted as many as columns",
                               row_line_, kMostColumns));
      skip_blanks();
      row_last_ = line_;
      if (in_ >= text.size()) return true;
      if (at_line_end()) return end_line(), true;
      if (options_.delimiter != ' ') ++in_;
      ++delimiters_;
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
    if (options_.quote != 0 && in_ < text.size() && text[in_] == options_.quote)
      return next_quoted_cell();
    const size_t begin = out_;
    while (in_ < text.size() && text[in_] != options_.delimiter && text[in_] != '\n' &&
           text[in_] != '\r') {
      text[out_++] = text[in_++];
    }
    if (options_.check_quotes && options_.quote != 0)
      check_blank_before_quote({text.data() + begin, out_ - begin});
  }

  void next_quoted_cell() {
    std::string& text = table_.cells_;
    const uint32_t opened = line_;
    ++in_;
    for (;;) {
      if (in_ >= text.size())
        throw fail(fmt::format("quote not closed; it opened on line {}", opened), kNoQuotes);
      const char c = text[in_];
      if (c == options_.quote) {
        ++in_;
        if (in_ >= text.size() || text[in_] != options_.quote) break;
      } else if (c == '\n' || (c == '\r' && (in_ + 1 >= text.size() || text[in_ + 1] != '\n'))) {
        ++line_;
        all_whole_ &= delimiters_ + 1 == table_.columns_.size();
        delimiters_ = 0;
      } else if (c == options_.delimiter) {
        ++delimiters_;
        // A comma of prose, which a blank follows.
        all_whole_ &= c == ' ' || in_ + 1 >= text.size() || text[in_ + 1] != ' ';
      }
      text[out_++] = text[in_++];
    }
    const bool ended = in_ >= text.size() || text[in_] == options_.delimiter || text[in_] == '\n' ||
                       text[in_] == '\r';
    if (!ended) {
      throw fail(fmt::format(
                     "line {}: text after a closing quote (it opened on line {}); wanted {} or the "
                     "end of the line",
                     line_, opened, printed(options_.delimiter)),
                 "a quote inside a quoted cell is written twice; where quotes are letters like "
                 "others, set "
                 "DataOptions::quote to none");
    }
  }

  void end_line() {
    const std::string& text = table_.cells_;
    in_ += text[in_] == '\r' && in_ + 1 < text.size() && text[in_ + 1] == '\n' ? 2 : 1;
    ++line_;
  }

  // --- what looks like a mistake

  // A quote that was never meant as one swallows rows, up to the next quote.
  void check_row(size_t begin) const {
    const bool several = row_last_ > row_line_ && table_.columns_.size() > 1;
    if (options_.check_quotes && several && all_whole_ && delimiters_ + 1 == table_.columns_.size())
      throw fail(
          fmt::format(
              "line {}: a quoted cell runs on to line {}, over {} lines that have {} fields "
              "each, as the header: was the quote meant as one?",
              row_line_, row_last_, row_last_ - row_line_ + 1, table_.columns_.size()),
          "where quotes are letters like others, set DataOptions::quote to none; where the cell is "
          "right, set DataOptions::quote to the quote itself");
    if (!names_are_words_) return;
    for (size_t k = 0; k < ends_.size(); ++k) {
      const std::string_view cell(table_.cells_.data() + begin, ends_[k] - begin);
      if (trimmed(cell) != table_.columns_[k]) return;
      begin = ends_[k];
    }
    throw fail(
        fmt::format("line {}: found the names of the columns once more, wanted a row", row_line_),
        options_.columns.empty()
            ? "take the line away; were files joined?"
            : "leave DataOptions::columns out, as the table has its line of names");
  }

  void check_blank_before_quote(std::string_view cell) const {
    const size_t first = cell.find_first_not_of(' ');
    if (first == 0 || first == std::string_view::npos || cell[first] != options_.quote) return;
    const std::string_view inner = trimmed(cell);
    const auto quotes = std::ranges::count(inner, options_.quote);
    if (quotes > 1 && inner.back() != options_.quote) return;  // a word in quotes
    throw fail(
        fmt::format("line {}: found a blank in front of a quote, wanted the quote first", line_),
        std::string("take the blanks behind the delimiter away; ") + kNoQuotes);
  }

  void refuse_other_rows() const {
    if (other_rows_.empty()) return;
    const size_t wanted = table_.columns_.size();
    std::string list;
    for (size_t i = 0; i < std::min(other_rows_.size(), kShownRows); ++i)
      list += fmt::format("{}line {}: found {} fields, wanted {}", i ? "; " : "",
                          other_rows_[i].first, other_rows_[i].second, wanted);
    if (other_rows_.size() > kShownRows)
      list += fmt::format(" … ({} rows more)", other_rows_.size() - kShownRows);
    const bool more =
        std::ranges::all_of(other_rows_, [&](auto& row) { return row.second > wanted; });
    const bool one_more =
        std::ranges::all_of(other_rows_, [&](auto& row) { return row.second == wanted + 1; });
    throw fail(
        list + (options_.columns.empty() ? " as in the header" : " as there are names of columns"),
        !more ? ""
        : one_more && table_.lines_.empty()
            ? "does the header lack a name for the first column, as R writes it? Else put "
              "cells that hold a delimiter (decimal commas?) in quotes"
            : "put cells that hold a delimiter (decimal commas?) in quotes");
  }

  // --- names

  void take_header() {
    std::vector<std::string> names;
    size_t begin = 0, padded = 0;
    for (const uint32_t end : ends_) {
      const std::string_view name(table_.cells_.data() + begin, end - begin);
      padded += trimmed(name).size() < name.size();
      names.emplace_back(trimmed(name));
      begin = end;
    }
    if (padded > 0)
      table_.notes_.push_back(
          fmt::format("blanks around the names of {} columns are left out", padded));
    table_.name_columns(std::move(names));
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
      if (columns[order[i - 1]] != columns[order[i]] || columns[order[i]].empty()) continue;
      throw fail(fmt::format("line {}: columns {} and {} are both called '{}'", row_line_,
                             order[i - 1] + 1, order[i] + 1, escaped(columns[order[i]], 100)),
                 "rename one");
    }
  }

  void check_delimiter() const {
    if (table_.columns_.size() != 1) return;
    const std::string& name = table_.columns_[0];
    for (const char other : {'\t', ';', ',', '|', ' '}) {
      if (name.find(other) == std::string::npos || other == options_.delimiter) continue;
      if (other == ' ' && !rows_have_blanks(name)) continue;
      throw fail(fmt::format("line {}: found one column with the delimiter {}, wanted several",
                             row_line_, printed(options_.delimiter)),
                 fmt::format("the delimiter is likely the {}: set DataOptions::delimiter to '{}'",
                             printed(other), other == '\t' ? "\\t" : std::string(1, other)));
    }
  }

  // A name of two words is not a table; one whose next line has as many words may be.
  bool rows_have_blanks(std::string_view name) const {
    const auto words = [](std::string_view line) {
      size_t count = 0;
      for (size_t i = 0; i < line.size(); ++i)
        count += line[i] != ' ' && (i == 0 || line[i - 1] == ' ');
      return count;
    };
    const std::string_view rest = std::string_view(table_.cells_).substr(in_);
    const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
    return words(line) > 1 && words(line) == words(name);
  }

  static constexpr size_t kShownRows = 5;
  static constexpr const char* kNoQuotes =
      "where quotes are letters like others, set DataOptions::quote to none";

  CsvOptions options_;
  Table table_;
  size_t in_ = 0;   // next byte to read
  size_t out_ = 0;  // end of the cells kept so far
  uint32_t line_ = 1;
  uint32_t row_line_ = 1;  // of the row, its first line
  uint32_t row_last_ = 1;  // and its last one
  std::vector<uint32_t> ends_;
  // Of the row, were its quotes letters: delimiters on its last line so far, and whether each line
  // before has as many fields as the header.
  size_t delimiters_ = 0;
  bool all_whole_ = true;
  bool names_are_words_ = false;
  std::vector<std::pair<uint32_t, size_t>> other_rows_;  // line, fields
};

Table read_csv(const fs::path& path, const CsvOptions& options) {
  return CsvReader(path, options).read();
}

}  // namespace fovea::storage
