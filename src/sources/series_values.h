// The time steps that the cases of an input read, gathered from wherever they are.
#pragma once

#include "fovea/sources/series.h"

namespace fovea::sources {

/// Of one case: its time steps among all of them, and those that are not there at either side.
struct Span {
  int64_t begin = 0, end = 0;
  int64_t missing_before = 0, missing_after = 0;
};

struct SeriesValues {
  std::vector<std::string> columns;
  std::vector<double> values;  // [steps, columns], NaN where not measured
  std::vector<double> times;   // of each step; empty without `time`
  std::vector<int64_t> ends;   // of each series, one after the other
  std::vector<Span> cases;

  int64_t steps() const { return ends.empty() ? 0 : ends.back(); }
};

/// `columns`: those that were learned; empty: as the options say.
SeriesValues gather_series(const SeriesOptions& options, const InputPlace& place,
                           const std::vector<std::string>& columns);

}  // namespace fovea::sources
