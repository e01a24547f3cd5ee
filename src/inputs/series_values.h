// The time steps that the cases of an input read, gathered from wherever they are.
#pragma once

#include <map>

#include "fovea/core/error.h"
#include "fovea/inputs/series.h"

namespace fovea::inputs {

/// Of one case: its time steps among all of them, and those that are not there at either side.
struct Span {
  int64_t begin = 0, end = 0;
  int64_t missing_before = 0, missing_after = 0;
};

/// What the numbers of a series mean. It is fitted to the first training series that says so; the
/// others are converted to it, or refused.
struct SeriesMeaning {
  std::vector<std::string> columns{};
  std::vector<std::string> units{};  ///< of each column: "mV"; "" where no file names one
  double rate = 0;  ///< steps per second of WFDB records, per unit of the column `time` where its
                    ///< steps are equal; 0: not known, or it varies
  bool dates = false;  ///< the column `time` holds dates: days
};

struct SeriesValues {
  SeriesMeaning meaning;
  std::vector<double> values;  // [steps, columns], NaN where not measured
  std::vector<double> times;   // of each step; empty without `time`
  std::vector<int64_t> ends;   // of each series, one after the other
  std::vector<Span> cases;
  std::map<size_t, Error> failures;  // of cases that cannot be read; their spans are empty
  bool absent = false;               // a file does not exist, which the table complains of

  int64_t steps() const { return ends.empty() ? 0 : ends.back(); }
};

/// `fitted`: by training; without columns: nothing yet, and the options say which there are. A file
/// that cannot be read is a failure of its cases. So is, where a model is asked about the rows, any
/// cell or row that is wrong; else the whole table is refused by line.
SeriesValues gather_series(const SeriesOptions& options, const InputPlace& place,
                           const SeriesMeaning& fitted);

}  // namespace fovea::inputs
