// Tables as text: a strict reader and a writer of RFC 4180.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/storage/file.h"
#include "fovea/storage/table.h"

namespace fovea::storage {

struct CsvOptions {
  char delimiter = ',';      ///< a blank: one or more of them, those around a line do not count
  char quote = '"';          ///< around a cell; 0: none, every character is of the cell
  bool check_quotes = true;  ///< refuse what reads as a quote that was never closed
  std::vector<std::string> columns = {};  ///< names for a table without a line of names
  int64_t max_bytes = kLargestFile;  ///< of the file; offsets are kept in 32 bits, so at most 4 GiB
};

/// Reads a table. Lines end in LF, CRLF or CR, a UTF-8 byte-order mark is skipped, and so are empty
/// lines. The first line names the columns unless the options do; blanks around a name are left
/// out. A data Error, with path and line, where the file is empty or has a header only, is not
/// valid UTF-8, has two columns of one name (blank ones aside, which nobody can ask for) or more
/// than 100000, a quote that never closes, rows with more or fewer fields, the header once more
/// among the rows, or evidently another delimiter. With `check_quotes` also for a quoted cell over
/// several lines of which each, were the quotes letters, would be a whole row; and for a quote
/// behind a blank.
Table read_csv(const std::filesystem::path& path, const CsvOptions& options = {});

/// Writes rows as text that read_csv, spreadsheets and pandas read back. Lines end in LF.
///
/// Text cells are quoted where the format asks for it. One that begins with = + - @, a tab or a
/// carriage return, has more than one letter and is not a number would be run by spreadsheets as a
/// formula, in quotes too: it gets an apostrophe in front, and stays with it for whoever reads the
/// file. Numbers are written as numbers, doubles with the fewest digits that read back to the same
/// value.
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
