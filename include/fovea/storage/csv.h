// Tables as text: a strict reader and a writer of RFC 4180.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/storage/file.h"

namespace fovea::storage {

struct CsvOptions {
  char delimiter = ',';
  int64_t max_bytes = kLargestFile;  ///< of the file; offsets are kept in 32 bits, so at most 4 GiB
};

/// A table whose first line names the columns. All cells lie in one buffer: besides their own bytes
/// a cell costs 4 bytes and a row 4. Cells are views that live as long as the table stays where it
/// is.
class Table {
 public:
  int64_t rows() const { return static_cast<int64_t>(lines_.size()); }
  const std::vector<std::string>& columns() const { return columns_; }
  const std::filesystem::path& path() const { return path_; }

  /// Position of the column called `name`; a data Error that names the nearest and all columns
  /// where there is none.
  int64_t column(std::string_view name) const;
  std::optional<int64_t> find_column(std::string_view name) const;

  /// The text of a cell, without its quotes; from 0 on, the header not counted.
  std::string_view cell(int64_t row, int64_t column) const;

  /// The line of the file on which the row starts, from 1 on.
  int64_t line(int64_t row) const { return lines_[static_cast<size_t>(row)]; }

 private:
  friend class CsvReader;
  std::filesystem::path path_;
  std::vector<std::string> columns_;
  std::string cells_;
  std::vector<uint32_t> begins_;  // of each cell in cells_, and one past the last
  std::vector<uint32_t> lines_;
};

/// Reads a table. Lines end in LF, CRLF or CR, a UTF-8 byte-order mark is skipped, and so are empty
/// lines. A data Error, with path and line, where the file is empty or has a header only, is no
/// UTF-8, has two columns of one name, a quote that never closes, a row with more or fewer fields,
/// or evidently another delimiter.
Table read_csv(const std::filesystem::path& path, const CsvOptions& options = {});

/// Writes rows as text that read_csv, spreadsheets and pandas read back. Lines end in LF.
///
/// Text cells are quoted where the format asks for it and where they start with = + - @ (which
/// spreadsheets would run); numbers are written as numbers, doubles with the fewest digits that
/// read back to the same value.
class CsvWriter {
 public:
  explicit CsvWriter(const std::vector<std::string>& columns);  ///< writes the header

  CsvWriter& text(std::string_view cell);
  CsvWriter& number(double cell);  ///< nan, inf and -inf by these names
  CsvWriter& number(int64_t cell);
  CsvWriter& blank();
  void end_row();  ///< an internal Error where the row has not as many cells as the header

  const std::string& content() const { return content_; }
  std::string
  take();  ///< the content so far, for appending to a file; the writer goes on without it

 private:
  void start_cell();

  std::string content_;
  size_t columns_;
  size_t cells_ = 0;  // of the row being written
};

}  // namespace fovea::storage
