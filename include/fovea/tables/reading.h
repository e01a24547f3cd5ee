// How the cells of a table are read, and what is said about it: nothing is given a meaning in
// silence.
#pragma once

#include <string>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::tables {

/// How numbers are written.
struct NumberFormat {
  char decimal = '.';
  char thousands = 0;  ///< between groups of three digits; 0: none. A blank: those of Unicode, too
  bool json = false;   ///< numbers may be those of JSON as well, whatever `decimal` is
};

/// What one column was taken for: "labs.crp", "number, 0.3 to 184, 31 of 80 missing".
struct ColumnReading {
  std::string column, reading;
};

/// What is to be said of how a table was read. No patient data but labels and what stands in for a
/// value that is missing.
struct Findings {
  std::vector<ColumnReading> columns;
  std::vector<std::string> notes;     ///< what was assumed, and what was left out
  std::vector<std::string> warnings;  ///< what is likely a mistake
  std::vector<std::string> problems;  ///< what makes every metric worthless

  void add(Findings other);
  /// Notes, warnings and problems, for whoever goes on.
  std::vector<std::string> remarks() const;
};

}  // namespace fovea::tables
