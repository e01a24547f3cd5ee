// Series of measurements over time as an input: [T, F], one row per time step.
#pragma once

#include "fovea/inputs/inputs.h"

namespace fovea::inputs {

struct SeriesOptions {
  std::vector<std::string> columns{};
  int64_t window = 0;
  std::string column{};
  std::string folder{};
  std::string at{};
  int64_t before = 0;
  int64_t after = 0;
  std::string table{};
  std::string key{};
  std::string time{};
  bool time_channel = false;
  std::vector<std::string> missing{""};
  std::string fill = "forward";
  std::vector<double> clip{};
  std::string shorter = "keep";
  bool optional = false;

  void describe(Fields& f) {
    f("columns", columns,
      "what is measured; default for WFDB records: all signals, in their order");
    f("window", window, "time steps that a case ends with; 0: all of them").at_least(0);
    f("column", column, "column of the table with the file of the case: CSV or a WFDB record");
    f("folder", folder, "folder under the root that the column's paths are relative to");
    f("at", at, "for files: column with the time step (from 0) that the case is about");
    f("before", before, "time steps before `at`").at_least(0);
    f("after", after, "time steps from `at` on").at_least(0);
    f("table", table, "a long table: many rows per case, joined by `key` and data.id");
    f("key", key, "column of the long table with the id of the case");
    f("time", time,
      "column with the time, numbers or dates (days); the rows of a long table are sorted by it");
    f("time_channel", time_channel, "the time since the previous step is an extra channel");
    f("missing", missing, "texts that mean 'not measured' (\"\" is a blank cell)");
    f("fill", fill,
      "forward: a missing value becomes the last one before it, or the mean if there is none; "
      "mean: always the mean")
        .one_of({"forward", "mean"});
    f("clip", clip,
      "[low, high]: values outside count as missing; for WFDB records in the unit of the first "
      "one");
    f("shorter", shorter,
      "a series that is shorter than the window or cut by a border: keep it as it is, pad with "
      "means (0), or refuse")
        .one_of({"keep", "pad", "refuse"});
    f("optional", optional,
      "a case may lack it (a blank cell, no row in the long table); the model learns a "
      "placeholder");
  }
};

/// A series per case, from one of three places:
///
///   the table itself   the `window` rows of the same group and split that end with the case's row
///   files              a CSV file or WFDB record per case, or `before` + `after` steps of it around
///                      the step `at`
///   a long table       the rows whose `key` is the id of the case
///
/// Mean and deviation of each column are fitted to the time steps that training cases read, and
/// to them alone; values become standard. A missing value is the one before it in the same
/// series, else the mean; a column in which a training value is missing is followed by one of 0 and
/// 1 that says where. The time since the step before (0 at the first) is standardised, too.
///
/// Signals of WFDB records are their positions, in one unit and at one sampling rate: those of the
/// first record, or of training; others are converted or refused. Without `time_channel` the steps
/// of all series must be equally long where they are equal within each.
///
/// A data Error with file, line and column for a cell that is neither a finite number nor missing,
/// and with the lines of cases that have no time step. A file that cannot be read, or a series longer
/// than `DataOptions::longest`, is the failure of its case. All values are held in memory.
InputType series_input(const SeriesOptions& options);

}  // namespace fovea::inputs
