// What the columns of a table input are, and what is fitted of them to the training rows.
#pragma once

#include "fovea/inputs/table.h"

namespace fovea::inputs {

/// What is fitted of one column.
struct FittedColumn {
  std::string name;
  double mean = 0, deviation = 1;
  double median = 0;       // stands in for a missing value
  bool indicator = false;  // some training value was missing
  bool category = false;
  bool date = false;                      // days since 1970-01-01
  std::vector<std::string> categories{};  // index 1, 2, …; 0 is for any other

  void describe(Fields& f) {
    f("name", name, "");
    f("mean", mean, "");
    f("deviation", deviation, "");
    f("median", median, "");
    f("indicator", indicator, "");
    f("category", category, "");
    f("date", date, "");
    f("categories", categories, "");
  }
};

/// Where the settings of a table input stand: "DataOptions::inputs.labs.table", and
/// "DataOptions::inputs.table" where its name says its type.
std::string settings_of_table(const std::string& name);

/// A column is of numbers (or of dates) where every training cell is one, of categories where none is
/// or `categories` lists it. A data Error where some are and some are not, with lines and with what
/// would help; where spellings of one category stand side by side; where there is no value at all.
FittedColumn fit_column(const TableOptions& options, const InputPlace& place,
                        const std::string& name);

}  // namespace fovea::inputs
