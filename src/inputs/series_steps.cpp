#include "inputs/series_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "fovea/core/text.h"
#include "fovea/storage/text.h"
#include "fovea/tables/read_table.h"
#include "tables/units.h"

namespace fovea::inputs {
namespace {

namespace fs = std::filesystem;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kUncalibrated = "not calibrated";  // in place of a unit
constexpr double kEvenly = 0.01;  // steps of a table's times that differ by less are equal

std::string place_of(const storage::Table& table, int64_t row, int64_t column) {
  return fmt::format("{}: {}: column '{}'", table.name(), table.place(row),
                     table.columns()[static_cast<size_t>(column)]);
}

Error bad_cell(const storage::Table& table, int64_t row, int64_t column, const char* wanted,
               const char* remedy) {
  Error error = data_error(
      fmt::format("found '{}', wanted {}", storage::escaped(table.cell(row, column), 40), wanted),
      remedy);
  error.add_place(place_of(table, row, column));
  return error;
}

}  // namespace

SeriesSteps::SeriesSteps(const SeriesOptions& options, const InputPlace& place,
                         const SeriesMeaning& fitted)
    : meaning(fitted), o_(options), place_(place), trained_(!fitted.columns.empty()) {
  if (!trained_) meaning.columns = o_.columns;
}

Series SeriesSteps::add_rows(bool go_on, const storage::Table& table, std::vector<int64_t> rows,
                             bool sorted) {
  return series(go_on, [&] {
    if (sorted) sort_by_time(table, rows);
    append(table, rows);
  });
}

Series SeriesSteps::add_file(const fs::path& path) {
  return series(/*go_on=*/true, [&] { append_file(path); });
}

const Error* SeriesSteps::wrong_in(int64_t begin, int64_t end) const {
  const auto wrong = wrong_.lower_bound(begin);
  return wrong == wrong_.end() || wrong->first >= end ? nullptr : &wrong->second;
}

std::string SeriesSteps::setting(const char* name) const {
  return fmt::format("DataOptions::inputs.{}.series.{}", place_.name, name);
}

/// What `add` puts behind the others. With `go_on` an Error about the data is the series' own, and
/// nothing is left of it; else it ends all.
template <class Add>
Series SeriesSteps::series(bool go_on, const Add& add) {
  Series one{.begin = steps(), .end = steps()};
  const Counts before = counts_;
  try {
    add();
    ends.push_back(steps() + added_steps());
    one.end = steps();
  } catch (const Error& error) {
    if (!go_on || (error.fault() != Fault::data && error.fault() != Fault::io)) throw;
    values.resize(static_cast<size_t>(steps()) * meaning.columns.size());
    times.resize(std::min(times.size(), static_cast<size_t>(steps())));
    wrong_.erase(wrong_.lower_bound(steps()), wrong_.end());
    counts_ = before;
    one.failure = error;
  }
  return one;
}

// Behind the end of the last series.
int64_t SeriesSteps::added_steps() const {
  return static_cast<int64_t>(values.size() / meaning.columns.size()) - steps();
}

int64_t SeriesSteps::column_of(const storage::Table& table, const std::string& name) const {
  return &table == &place_.rows.table ? place_.rows.column(name) : table.column(name);
}

void SeriesSteps::sort_by_time(const storage::Table& table, std::vector<int64_t>& rows) {
  if (o_.time.empty()) return;
  const int64_t column = column_of(table, o_.time);
  std::vector<std::pair<double, int64_t>> order;
  for (const int64_t row : rows) order.emplace_back(time_of(table, row, column), row);
  std::ranges::sort(order);
  for (size_t k = 0; k < rows.size(); ++k) rows[k] = order[k].second;
}

/// Numbers, or dates as days; of all tables alike.
double SeriesSteps::time_of(const storage::Table& table, int64_t row, int64_t column) {
  if (!times_read_)
    times_read_.emplace(tables::number_format(place_.read.numbers, table),
                        std::vector<std::string>{},
                        !trained_       ? tables::NumberReader::Dates::either
                        : meaning.dates ? tables::NumberReader::Dates::always
                                        : tables::NumberReader::Dates::never);
  const tables::NumberReader::Cell cell = times_read_->read(table.cell(row, column));
  meaning.dates = times_read_->dates();
  if (cell.type == tables::NumberReader::Cell::number) return cell.value;
  throw bad_cell(table, row, column,
                 times_read_->dates() ? "a date such as 2024-03-05T17:30, as the others are"
                                      : "a finite number as the time",
                 "write all times in one way, numbers or dates");
}

/// Of the column `k`.
tables::NumberReader& SeriesSteps::reader(const storage::Table& table, size_t k) {
  while (readers_.size() <= k)
    readers_.emplace_back(tables::number_format(place_.read.numbers, table), o_.missing);
  return readers_[k];
}

double SeriesSteps::value_of(const storage::Table& table, int64_t row, int64_t column, size_t k) {
  const std::string_view text = table.cell(row, column);
  tables::NumberReader& numbers = reader(table, k);
  const tables::NumberReader::Cell cell = numbers.read(text);
  if (cell.type == tables::NumberReader::Cell::wrong) {
    Error error = numbers.refusal(text, setting("missing"));
    error.add_place(place_of(table, row, column));
    throw error;
  }
  counts_.missing += cell.type == tables::NumberReader::Cell::missing;
  return cell.type == tables::NumberReader::Cell::missing ? kMissing : within_clip(cell.value);
}

double SeriesSteps::within_clip(double value) {
  const bool outside = !o_.clip.empty() && (value < o_.clip[0] || value > o_.clip[1]);
  counts_.outside += outside;
  return outside ? kMissing : value;
}

void SeriesSteps::append(const storage::Table& table, const std::vector<int64_t>& rows) {
  std::vector<int64_t> places;
  for (const std::string& name : meaning.columns) places.push_back(column_of(table, name));
  const size_t width = places.size();
  for (const int64_t row : rows) {
    const size_t before = values.size();
    try {
      for (size_t k = 0; k < width; ++k) values.push_back(value_of(table, row, places[k], k));
    } catch (const Error& error) {
      // Of the rows that a model is asked about, only those cases fail that read this one.
      if (!place_.cases || &table != &place_.rows.table) throw;
      values.resize(before, 0);
      values.resize(before + width, kMissing);
      wrong_.emplace(static_cast<int64_t>(before / width), error);
    }
  }
  counts_.values += static_cast<int64_t>(rows.size() * width);
  if (!o_.time.empty()) append_times(table, rows);
}

void SeriesSteps::append_times(const storage::Table& table, const std::vector<int64_t>& rows) {
  const int64_t column = column_of(table, o_.time);
  for (size_t k = 0; k < rows.size(); ++k) {
    const double time = time_of(table, rows[k], column);
    if (k > 0 && time < times.back())
      throw bad_cell(table, rows[k], column, "no time before that of the row before", "sort them");
    counts_.same_time += k > 0 && time == times.back();
    times.push_back(time);
  }
  if (rows.size() >= 3 && !o_.time_channel)
    within(fmt::format("{}: {}", table.name(), table.place(rows[0])),
           [&] { check_steps(times.end() - static_cast<int64_t>(rows.size())); });
}

// The model sees no times: it takes all steps for equal.
void SeriesSteps::check_steps(std::vector<double>::const_iterator begin) {
  const auto end = times.cend();
  const double mean = (*(end - 1) - *begin) / static_cast<double>(end - begin - 1);
  for (auto time = begin + 1; time != end; ++time)
    if (!(std::abs(*time - *(time - 1) - mean) <= kEvenly * mean) || mean == 0) {
      ++counts_.uneven;
      return;
    }
  take_rate(1 / mean, kEvenly, "steps per unit of '" + o_.time + "'",
            "bring them to one rate, or set SeriesOptions::time_channel");
}

void SeriesSteps::take_rate(double rate, double tolerance, const std::string& unit,
                            const char* remedy) {
  double& wanted = meaning.rate;
  if (wanted == 0) wanted = rate;
  if (std::abs(rate - wanted) > tolerance * wanted)
    throw data_error(fmt::format("found {:.6g} {}, wanted {:.6g} as {}", rate, unit, wanted,
                                 trained_ ? "in training" : "the series before it have"),
                     remedy);
}

void SeriesSteps::append_file(const fs::path& path) {
  const int64_t most = place_.read.formats.max_decoded_mb << 20;
  if (path.extension() == ".hea") return append_record(path, io::read_wfdb(path, most));
  const storage::Table table = tables::read_table(path, place_.read.csv);
  if (meaning.columns.empty())
    throw config_error(
        fmt::format("DataOptions::inputs.{}.series.columns: found none, wanted columns of {}",
                    place_.name, storage::shown(path)));
  std::vector<int64_t> rows(static_cast<size_t>(table.rows()));
  std::iota(rows.begin(), rows.end(), 0);
  append(table, rows);
}

/// Where in the record each column is, by its label.
std::vector<size_t> SeriesSteps::signals_of(const io::WfdbRecord& record) {
  const std::vector<std::string> labels = record.header.labels();
  if (meaning.columns.empty()) {
    meaning.columns = labels;
  } else if (o_.columns.empty() && labels.size() != meaning.columns.size()) {
    throw data_error(
        fmt::format("found {} signals ({}), wanted {} ({})", labels.size(), join(labels, ", ", 20),
                    meaning.columns.size(), join(meaning.columns, ", ", 20)),
        "name those that all records have in SeriesOptions::columns");
  }
  std::vector<size_t> signals;
  for (const std::string& name : meaning.columns) {
    const auto own = std::ranges::find(labels, name);
    if (own == labels.end())
      throw data_error(
          fmt::format("found no signal '{}'; the signals are {}", name, join(labels, ", ", 20)));
    signals.push_back(static_cast<size_t>(own - labels.begin()));
  }
  return signals;
}

/// What brings a signal to the unit of its column.
double SeriesSteps::factor_of(const io::WfdbSignal& signal, size_t column) {
  const std::string unit = signal.calibrated ? signal.units : kUncalibrated;
  meaning.units.resize(meaning.columns.size());
  std::string& wanted = meaning.units[column];
  if (wanted.empty()) wanted = unit;
  const std::optional<double> factor = tables::unit_factor(unit, wanted);
  if (!factor)
    throw data_error(fmt::format("found the signal '{}' in the unit '{}', wanted '{}' as {}",
                                 meaning.columns[column], unit, wanted,
                                 trained_ ? "in training" : "the records before it have"),
                     "bring the records to one unit, or leave them out");
  if (unit != wanted) ++converted_[fmt::format("{} to {}", unit, wanted)];
  if (!signal.calibrated) ++counts_.uncalibrated;
  return *factor;
}

void SeriesSteps::append_record(const fs::path& path, const io::WfdbRecord& record) {
  if (!o_.time.empty())
    throw config_error(fmt::format(
        "DataOptions::inputs.{}.series.time: found a WFDB record, whose steps are as far "
        "apart as each other; leave it out",
        place_.name));
  within(storage::shown(path), [&] {
    const SeriesMeaning before = meaning;
    const std::map<std::string, int64_t> converted = converted_;
    try {
      const std::vector<size_t> signals = signals_of(record);
      std::vector<double> factors;
      for (size_t k = 0; k < signals.size(); ++k)
        factors.push_back(factor_of(record.header.signals[signals[k]], k));
      take_rate(record.header.frequency, 1e-6, "samples per second",
                "bring the records to one rate (xform of the WFDB tools)");
      append_samples(record, signals, factors);
    } catch (const Error&) {
      meaning = before;
      converted_ = converted;
      throw;
    }
  });
}

void SeriesSteps::append_samples(const io::WfdbRecord& record, const std::vector<size_t>& signals,
                                 const std::vector<double>& factors) {
  for (int64_t t = 0; t < record.header.samples; ++t)
    for (size_t k = 0; k < signals.size(); ++k) {
      const double value = record.value(t, signals[k]);
      counts_.invalid += std::isnan(value);
      values.push_back(std::isnan(value) ? kMissing : within_clip(value * factors[k]));
    }
  counts_.values += record.header.samples * static_cast<int64_t>(signals.size());
}

void SeriesSteps::say() const {
  const auto note = [&](const std::string& text) {
    place_.findings.notes.push_back(fmt::format("input '{}': {}", place_.name, text));
  };
  std::vector<std::string>& notes = place_.findings.notes;
  for (size_t k = 0; k < readers_.size() && k < meaning.columns.size(); ++k)
    readers_[k].add_notes(place_.name + "." + meaning.columns[k], notes);
  if (times_read_) times_read_->add_notes(place_.name + "." + o_.time, notes);
  say_columns();
  if (const int64_t all = counts_.missing + counts_.outside + counts_.invalid; all > 0) {
    std::vector<std::string> parts;
    for (const auto& [count, what] : {std::pair(counts_.missing, "among the texts of `missing`"),
                                      {counts_.invalid, "marked as invalid by the record"},
                                      {counts_.outside, "outside `clip`"}})
      if (count > 0) parts.push_back(fmt::format("{} {}", count, what));
    note(fmt::format("{} of {} values are not measured ({})", all, counts_.values, join(parts)));
  }
  for (const auto& [units, signals] : converted_)
    note(fmt::format("{} signals are converted from {}", signals, units));
  if (counts_.uncalibrated > 0)
    note(fmt::format(
        "{} signals are not calibrated (no gain); 200 steps of the converter count as 1",
        counts_.uncalibrated));
  if (counts_.same_time > 0)
    note(fmt::format(
        "{} time steps have the time of the one before, and stay in the order of the table",
        counts_.same_time));
  if (counts_.uneven > 0)
    note(
        fmt::format("the time between steps varies in {} series, which the model sees only with "
                    "SeriesOptions::time_channel",
                    counts_.uneven));
}

/// "ecg.MLII": "-0.51 to 1.03 mV, 3 of 400 missing"
void SeriesSteps::say_columns() const {
  const size_t width = meaning.columns.size();
  for (size_t k = 0; k < width; ++k) {
    tables::Range range;
    const size_t count = values.size() / width;
    for (size_t step = 0; step < count; ++step) {
      const double value = values[step * width + k];
      if (std::isnan(value))
        ++range.missing;
      else
        range.add(value);
    }
    const std::vector<std::string>& units = meaning.units;
    place_.findings.columns.push_back(
        {place_.name + "." + meaning.columns[k],
         fmt::format("series, {}{}", range.text(false, count),
                     k >= units.size() || units[k].empty() ? ""
                     : units[k] == kUncalibrated           ? ", " + units[k]
                                                           : ", in " + units[k])});
  }
}

}  // namespace fovea::inputs
