// Tables of texts: columns with names, rows that know their file and line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

/// All cells lie in one buffer: besides their own bytes a cell costs 4 bytes and a row 4. Cells are
/// views that live as long as the table stays where it is.
class Table {
 public:
  int64_t rows() const { return static_cast<int64_t>(lines_.size()); }
  const std::vector<std::string>& columns() const { return columns_; }

  /// Position of the column called `name`; a data Error that names the nearest and all columns
  /// where there is none.
  int64_t column(std::string_view name) const;
  std::optional<int64_t> find_column(std::string_view name) const;

  /// The text of a cell, without its quotes; from 0 on, the header not counted.
  std::string_view cell(int64_t row, int64_t column) const;

  /// The line of its file on which the row starts, from 1 on.
  int64_t line(int64_t row) const { return lines_[static_cast<size_t>(row)]; }
  const std::filesystem::path& path(int64_t row = 0) const;

  /// How messages about the table begin: "/data/train.csv", or "/data/train.csv and 2 more".
  std::string name() const;
  /// Where a row is, after name(): "line 7", of several files "/data/test.csv: line 7".
  std::string place(int64_t row) const;

  /// What the file leaves open about itself, or about one of its columns: "the keys of ..."; without
  /// content of cells.
  const std::vector<std::string>& notes() const { return notes_; }
  const std::vector<std::string>& notes(int64_t column) const {
    return column_notes_[static_cast<size_t>(column)];
  }

  /// The rows of `other` after these. A data Error where its columns have other names or stand in
  /// another order, or there is more text than 4 GiB.
  void append(const Table& other);

 private:
  friend class CsvReader;
  friend class TableBuilder;
  void name_columns(std::vector<std::string> names);
  struct File {
    std::filesystem::path path;
    int64_t first_row;
  };

  std::vector<File> files_;
  std::vector<std::string> columns_;
  std::vector<std::string> notes_;
  std::vector<std::vector<std::string>> column_notes_;  // of each column
  std::string cells_;
  std::vector<uint32_t> begins_;  // of each cell in cells_, and one past the last
  std::vector<uint32_t> lines_;
};

/// Makes a table cell by cell.
class TableBuilder {
 public:
  TableBuilder(const std::filesystem::path& path, std::vector<std::string> columns);
  /// A row with a cell for each column. A data Error where the text passes 4 GiB.
  void add(int64_t line, const std::vector<std::string>& cells);
  void note(size_t column, std::string text);
  Table take() { return std::move(table_); }

 private:
  Table table_;
};

}  // namespace fovea::storage
