// Columns of the table as an input: numbers and categories of each case.
#pragma once

#include "fovea/inputs/inputs.h"

namespace fovea::inputs {

struct TableOptions {
  std::vector<std::string> columns{};
  std::vector<std::string> categories{};
  std::vector<std::string> missing{""};
  bool optional = false;

  void describe(Fields& f) {
    f("columns", columns, "the clinical indicators; columns of numbers are standardised")
        .required();
    f("categories", categories, "those of the columns whose numbers are names of categories");
    f("missing", missing, "texts that mean 'not measured' (\"\" is a blank cell)");
    f("optional", optional,
      "a case may lack all of them; the model then uses a placeholder, not the medians");
  }
};

/// Columns of the table itself. What is fitted to the training rows, and to them alone:
///
///   numbers     mean and deviation (the value becomes standard); the median, which stands in for a
///               value that was not measured, and whether any was missing: then a column of 0 and 1
///               that says so follows
///   categories  the texts that occur, sorted; index 0 is for all others, and for missing ones
///
/// A column is of numbers where every training cell is one, unless `categories` lists it. A data
/// Error with line and column for a cell that is neither a finite number nor missing.
InputType table_input(const TableOptions& options);

}  // namespace fovea::inputs
