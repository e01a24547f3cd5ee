#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "fovea/core/error.h"
#include "fovea/storage/csv.h"

namespace fovea::storage {

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
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
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
