// The time steps of series, appended one series after the other from tables and records.
#pragma once

#include <map>
#include <optional>

#include "fovea/io/wfdb.h"
#include "inputs/series_values.h"
#include "tables/cells.h"

namespace fovea::inputs {

/// One series among all steps, or why there is none.
struct Series {
  int64_t begin = 0, end = 0;
  std::optional<Error> failure{};
};

/// Reads cells and samples as numbers of one meaning, and counts what it does with them.
class SeriesSteps {
 public:
  SeriesSteps(const SeriesOptions& options, const InputPlace& place, const SeriesMeaning& fitted);

  /// The rows of a table. With `go_on` an Error about the data is the series' own and nothing is left
  /// of it; else it ends all. `sorted`: by time, first.
  Series add_rows(bool go_on, const storage::Table& table, std::vector<int64_t> rows, bool sorted);
  /// A CSV file or a WFDB record.
  Series add_file(const std::filesystem::path& path);

  /// The Error of a cell that is wrong among the steps; null where all can be read.
  const Error* wrong_in(int64_t begin, int64_t end) const;
  /// Puts into the findings of the input how its columns were read.
  void say() const;

  SeriesMeaning meaning;
  std::vector<double> values;  ///< [steps, columns], NaN where not measured
  std::vector<double> times;   ///< of each step; empty without `time`
  std::vector<int64_t> ends;   ///< of each series

 private:
  int64_t steps() const { return ends.empty() ? 0 : ends.back(); }
  std::string setting(const char* name) const;
  template <class Add>
  Series series(bool go_on, const Add& add);
  int64_t added_steps() const;
  int64_t column_of(const storage::Table& table, const std::string& name) const;
  void sort_by_time(const storage::Table& table, std::vector<int64_t>& rows);
  double time_of(const storage::Table& table, int64_t row, int64_t column);
  tables::NumberReader& reader(const storage::Table& table, size_t k);
  double value_of(const storage::Table& table, int64_t row, int64_t column, size_t k);
  double within_clip(double value);
  void append(const storage::Table& table, const std::vector<int64_t>& rows);
  void append_times(const storage::Table& table, const std::vector<int64_t>& rows);
  void check_steps(std::vector<double>::const_iterator begin);
  void take_rate(double rate, double tolerance, const std::string& unit, const char* remedy);
  void append_file(const std::filesystem::path& path);
  std::vector<size_t> signals_of(const io::WfdbRecord& record);
  double factor_of(const io::WfdbSignal& signal, size_t column);
  void append_record(const std::filesystem::path& path, const io::WfdbRecord& record);
  void append_samples(const io::WfdbRecord& record, const std::vector<size_t>& signals,
                      const std::vector<double>& factors);
  void say_columns() const;

  struct Counts {
    int64_t values = 0;
    int64_t missing = 0, outside = 0, invalid = 0;  // values that are not measured
    int64_t same_time = 0, uneven = 0, uncalibrated = 0;
  };

  const SeriesOptions& o_;
  const InputPlace& place_;
  bool trained_;
  std::vector<tables::NumberReader> readers_;  // of each column
  std::optional<tables::NumberReader> times_read_;
  Counts counts_;
  std::map<std::string, int64_t> converted_;  // "uV to mV", and how many signals
  std::map<int64_t, Error> wrong_;            // steps whose cells are wrong
};

}  // namespace fovea::inputs
