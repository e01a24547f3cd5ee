#include "sources/series_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "fovea/core/text.h"
#include "fovea/io/wfdb.h"
#include "fovea/storage/text.h"
#include "sources/cells.h"
#include "sources/open.h"
#include "sources/units.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kUncalibrated = "not calibrated";  // in place of a unit
constexpr double kEvenly = 0.01;  // steps of a table's times that differ by less are equal

std::string setting_of(const InputPlace& place, const char* name) {
  return fmt::format("DataOptions::inputs.{}.series.{}", place.name, name);
}

void check_settings(const SeriesOptions& o, const InputPlace& place) {
  const auto setting = [&](const char* name) { return setting_of(place, name); };
  const auto check = [&](bool good, const char* name, std::string problem, std::string remedy) {
    if (good) return;
    Error error = config_error(std::move(problem), std::move(remedy));
    error.add_place(setting(name));
    throw error;
  };
  const bool around = !o.at.empty();
  check(o.table.empty() || o.column.empty(), "column", "found it and " + setting("table"),
        "keep one: a file per case, or a table of all");
  check(o.table.empty() || (!o.key.empty() && !place.data.id.empty()), "table",
        fmt::format("wanted {} and DataOptions::id too", setting("key")),
        "name the columns with the id of the case");
  check(!around || (!o.column.empty() && o.window == 0 && o.before + o.after > 0), "at",
        "wanted with it a column of files, `before` or `after`, and no `window`", "");
  check(!o.time_channel || !o.time.empty(), "time_channel",
        fmt::format("wanted {} too", setting("time")), "name the column with the time");
  check(o.clip.empty() || (o.clip.size() == 2 && o.clip[0] < o.clip[1]), "clip",
        "wanted [low, high]", "");
  check(!o.columns.empty() || !o.column.empty(), "columns", "found none, wanted one or more", "");
  check(o.shorter == "keep" || o.window > 0 || around, "shorter", "wanted a `window` too", "");
}

/// One series among all steps, or why there is none.
struct Series {
  int64_t begin = 0, end = 0;
  std::optional<Error> failure{};
};

class Gatherer {
 public:
  Gatherer(const SeriesOptions& options, const InputPlace& place, const SeriesMeaning& learned)
      : o_(options), place_(place), trained_(!learned.columns.empty()) {
    check_settings(o_, place_);
    found_.meaning = learned;
    if (!trained_) found_.meaning.columns = o_.columns;
  }

  SeriesValues gather() {
    if (!o_.table.empty())
      read_long_table();
    else if (!o_.column.empty())
      read_files();
    else
      read_rows();
    raise(empty_, kEmpty);
    raise(short_, kShort);
    say();
    return std::move(found_);
  }

 private:
  static constexpr const char *kEmpty = "have no time step, wanted one or more",
                              *kShort =
                                  "are cut short, wanted all of the window (`shorter: refuse`)";

  const std::vector<std::string>& columns() const { return found_.meaning.columns; }
  std::string setting(const char* name) const { return setting_of(place_, name); }

  // --- the three places

  void read_rows() {
    const Runs& runs = place_.runs();
    std::map<size_t, Series> known;  // by run
    for (size_t i = 0; i < place_.rows.size(); ++i) {
      const auto row = static_cast<size_t>(place_.rows.used[i]);
      const auto [one, added] = known.try_emplace(runs.run[row]);
      if (added)
        one->second =
            series(place_.cases, [&] { add_rows(place_.rows.table, runs.rows[runs.run[row]]); });
      Series until = one->second;
      until.end = until.begin + static_cast<int64_t>(runs.position[row]) + 1;
      add_case(i, until);
    }
  }

  void read_files() {
    const std::vector<ListedFile> files = place_.files(
        {.column = o_.column, .folder = o_.folder, .ending = ".hea", .optional = o_.optional});
    const int64_t at = o_.at.empty() ? -1 : place_.rows.table.column(o_.at);
    std::map<fs::path, Series> known;
    for (size_t i = 0; i < files.size(); ++i) {
      const bool absent = files[i].stamp == storage::FileStamp{} && !place_.cases;
      if (files[i].path.empty() || absent) {
        found_.absent |= !files[i].path.empty();
        found_.cases.emplace_back();
        continue;
      }
      const auto [one, added] = known.try_emplace(files[i].path);
      if (added) one->second = series(true, [&] { add_file(files[i].path); });
      if (at < 0)
        add_case(i, one->second);
      else if (one->second.failure)
        fail(i, *one->second.failure);
      else
        add_case_around(i, at, one->second);
    }
  }

  void read_long_table() {
    const fs::path path =
        (folder_of(place_.data, place_.rows.table.path()) / o_.table).lexically_normal();
    const storage::Table table = read_table(path, csv_options(place_.data));
    const int64_t key = table.column(o_.key), id = place_.rows.table.column(place_.data.id);
    std::unordered_map<std::string_view, std::vector<int64_t>> rows;
    const auto id_of = [&](size_t i) { return storage::trimmed(place_.rows.cell(i, id)); };
    for (size_t i = 0; i < place_.rows.size(); ++i) rows[id_of(i)];
    int64_t strange = 0;
    for (int64_t row = 0; row < table.rows(); ++row)
      if (const auto own = rows.find(storage::trimmed(table.cell(row, key))); own != rows.end())
        own->second.push_back(row);
      else
        ++strange;
    if (strange > 0)
      note("{} of {} rows of {} belong to none of the cases", strange, table.rows(),
           storage::shown(path.filename()));
    for (size_t i = 0; i < place_.rows.size(); ++i) {
      std::vector<int64_t>& own = rows[id_of(i)];
      add_case(i, series(place_.cases, [&] {
                 sort_by_time(table, own);
                 add_rows(table, own);
               }));
    }
  }

  // --- series

  /// What `add` puts behind the others. With `go_on` an Error about the data is the series' own, and
  /// nothing is left of it; else it ends all.
  template <class Add>
  Series series(bool go_on, const Add& add) {
    Series one{.begin = found_.steps(), .end = found_.steps()};
    const Counts before = counts_;
    try {
      add();
      found_.ends.push_back(found_.steps() + added_steps());
      one.end = found_.steps();
    } catch (const Error& error) {
      if (!go_on || (error.fault() != Fault::data && error.fault() != Fault::io)) throw;
      found_.values.resize(static_cast<size_t>(found_.steps()) * columns().size());
      found_.times.resize(std::min(found_.times.size(), static_cast<size_t>(found_.steps())));
      wrong_.erase(wrong_.lower_bound(found_.steps()), wrong_.end());
      counts_ = before;
      one.failure = error;
    }
    return one;
  }

  // Behind the end of the last series.
  int64_t added_steps() const {
    return static_cast<int64_t>(found_.values.size() / columns().size()) - found_.steps();
  }

  void sort_by_time(const storage::Table& table, std::vector<int64_t>& rows) {
    if (o_.time.empty()) return;
    const int64_t column = table.column(o_.time);
    std::vector<std::pair<double, int64_t>> order;
    for (const int64_t row : rows) order.emplace_back(time_of(table, row, column), row);
    std::ranges::sort(order);
    for (size_t k = 0; k < rows.size(); ++k) rows[k] = order[k].second;
  }

  static std::string place_of(const storage::Table& table, int64_t row, int64_t column) {
    return fmt::format("{}: {}: column '{}'", table.name(), table.place(row),
                       table.columns()[static_cast<size_t>(column)]);
  }

  static Error bad_cell(const storage::Table& table, int64_t row, int64_t column,
                        const char* wanted, const char* remedy) {
    Error error = data_error(
        fmt::format("found '{}', wanted {}", storage::escaped(table.cell(row, column), 40), wanted),
        remedy);
    error.add_place(place_of(table, row, column));
    return error;
  }

  /// Numbers, or dates as days; of all tables alike.
  double time_of(const storage::Table& table, int64_t row, int64_t column) {
    if (!times_)
      times_.emplace(number_format(place_.data, table), std::vector<std::string>{},
                     !trained_              ? NumberReader::Dates::either
                     : found_.meaning.dates ? NumberReader::Dates::always
                                            : NumberReader::Dates::never);
    const NumberReader::Cell cell = times_->read(table.cell(row, column));
    found_.meaning.dates = times_->dates();
    if (cell.kind == NumberReader::Cell::number) return cell.value;
    throw bad_cell(table, row, column,
                   times_->dates() ? "a date such as 2024-03-05T17:30, as the others are"
                                   : "a finite number as the time",
                   "write all times in one way, numbers or dates");
  }

  /// Of the column `k`.
  NumberReader& reader(const storage::Table& table, size_t k) {
    while (readers_.size() <= k)
      readers_.emplace_back(number_format(place_.data, table), o_.missing);
    return readers_[k];
  }

  double value_of(const storage::Table& table, int64_t row, int64_t column, size_t k) {
    const std::string_view text = table.cell(row, column);
    NumberReader& numbers = reader(table, k);
    const NumberReader::Cell cell = numbers.read(text);
    if (cell.kind == NumberReader::Cell::wrong) {
      Error error = numbers.refusal(text, setting("missing"));
      error.add_place(place_of(table, row, column));
      throw error;
    }
    counts_.missing += cell.kind == NumberReader::Cell::missing;
    return cell.kind == NumberReader::Cell::missing ? kMissing : within_clip(cell.value);
  }

  double within_clip(double value) {
    const bool outside = !o_.clip.empty() && (value < o_.clip[0] || value > o_.clip[1]);
    counts_.outside += outside;
    return outside ? kMissing : value;
  }

  void add_rows(const storage::Table& table, const std::vector<int64_t>& rows) {
    std::vector<int64_t> places;
    for (const std::string& name : columns()) places.push_back(table.column(name));
    const size_t width = places.size();
    for (const int64_t row : rows) {
      const size_t before = found_.values.size();
      try {
        for (size_t k = 0; k < width; ++k)
          found_.values.push_back(value_of(table, row, places[k], k));
      } catch (const Error& error) {
        // Of the rows that a model is asked about, only those cases fail that read this one.
        if (!place_.cases || &table != &place_.rows.table) throw;
        found_.values.resize(before, 0);
        found_.values.resize(before + width, kMissing);
        wrong_.emplace(static_cast<int64_t>(before / width), error);
      }
    }
    counts_.values += static_cast<int64_t>(rows.size() * width);
    if (o_.time.empty()) return;
    const int64_t column = table.column(o_.time);
    for (size_t k = 0; k < rows.size(); ++k) {
      const double time = time_of(table, rows[k], column);
      if (k > 0 && time < found_.times.back())
        throw bad_cell(table, rows[k], column, "no time before that of the row before",
                       "sort them");
      counts_.same_time += k > 0 && time == found_.times.back();
      found_.times.push_back(time);
    }
    if (rows.size() >= 3 && !o_.time_channel)
      within(fmt::format("{}: {}", table.name(), table.place(rows[0])),
             [&] { check_steps(found_.times.end() - static_cast<int64_t>(rows.size())); });
  }

  // The model sees no times: it takes all steps for equal.
  void check_steps(std::vector<double>::const_iterator begin) {
    const auto end = found_.times.cend();
    const double mean = (*(end - 1) - *begin) / static_cast<double>(end - begin - 1);
    for (auto time = begin + 1; time != end; ++time)
      if (!(std::abs(*time - *(time - 1) - mean) <= kEvenly * mean) || mean == 0) {
        ++counts_.uneven;
        return;
      }
    take_rate(1 / mean, kEvenly, "steps per unit of '" + o_.time + "'",
              "bring them to one rate, or set SeriesOptions::time_channel");
  }

  void take_rate(double rate, double tolerance, const std::string& unit, const char* remedy) {
    double& wanted = found_.meaning.rate;
    if (wanted == 0) wanted = rate;
    if (std::abs(rate - wanted) > tolerance * wanted)
      throw data_error(fmt::format("found {:.6g} {}, wanted {:.6g} as {}", rate, unit, wanted,
                                   trained_ ? "in training" : "the series before it have"),
                       remedy);
  }

  void add_file(const fs::path& path) {
    const int64_t most = place_.data.formats.max_decoded_mb << 20;
    if (path.extension() == ".hea") return add_record(path, io::read_wfdb(path, most));
    const storage::Table table = read_table(path, csv_options(place_.data));
    if (columns().empty())
      throw config_error(
          fmt::format("DataOptions::inputs.{}.series.columns: found none, wanted columns of {}",
                      place_.name, storage::shown(path)));
    std::vector<int64_t> rows(static_cast<size_t>(table.rows()));
    std::iota(rows.begin(), rows.end(), 0);
    add_rows(table, rows);
  }

  /// Where in the record each column is, by its label.
  std::vector<size_t> signals_of(const io::WfdbRecord& record) {
    const std::vector<std::string> labels = record.header.labels();
    if (columns().empty()) {
      found_.meaning.columns = labels;
    } else if (o_.columns.empty() && labels.size() != columns().size()) {
      throw data_error(
          fmt::format("found {} signals ({}), wanted {} ({})", labels.size(),
                      join(labels, ", ", 20), columns().size(), join(columns(), ", ", 20)),
          "name those that all records have in SeriesOptions::columns");
    }
    std::vector<size_t> signals;
    for (const std::string& name : columns()) {
      const auto own = std::ranges::find(labels, name);
      if (own == labels.end())
        throw data_error(
            fmt::format("found no signal '{}'; the signals are {}", name, join(labels, ", ", 20)));
      signals.push_back(static_cast<size_t>(own - labels.begin()));
    }
    return signals;
  }

  /// What brings a signal to the unit of its column.
  double factor_of(const io::WfdbSignal& signal, size_t column) {
    const std::string unit = signal.calibrated ? signal.units : kUncalibrated;
    found_.meaning.units.resize(columns().size());
    std::string& wanted = found_.meaning.units[column];
    if (wanted.empty()) wanted = unit;
    const std::optional<double> factor = unit_factor(unit, wanted);
    if (!factor)
      throw data_error(fmt::format("found the signal '{}' in the unit '{}', wanted '{}' as {}",
                                   columns()[column], unit, wanted,
                                   trained_ ? "in training" : "the records before it have"),
                       "bring the records to one unit, or leave them out");
    if (unit != wanted) ++converted_[fmt::format("{} to {}", unit, wanted)];
    if (!signal.calibrated) ++counts_.uncalibrated;
    return *factor;
  }

  void add_record(const fs::path& path, const io::WfdbRecord& record) {
    if (!o_.time.empty())
      throw config_error(fmt::format(
          "DataOptions::inputs.{}.series.time: found a WFDB record, whose steps are as far "
          "apart as each other; leave it out",
          place_.name));
    within(storage::shown(path), [&] {
      const SeriesMeaning before = found_.meaning;
      const std::map<std::string, int64_t> converted = converted_;
      try {
        const std::vector<size_t> signals = signals_of(record);
        std::vector<double> factors;
        for (size_t k = 0; k < signals.size(); ++k)
          factors.push_back(factor_of(record.header.signals[signals[k]], k));
        take_rate(record.header.frequency, 1e-6, "samples per second",
                  "bring the records to one rate (xform of the WFDB tools)");
        add_samples(record, signals, factors);
      } catch (const Error&) {
        found_.meaning = before;
        converted_ = converted;
        throw;
      }
    });
  }

  void add_samples(const io::WfdbRecord& record, const std::vector<size_t>& signals,
                   const std::vector<double>& factors) {
    for (int64_t t = 0; t < record.header.samples; ++t)
      for (size_t k = 0; k < signals.size(); ++k) {
        const double value = record.value(t, signals[k]);
        counts_.invalid += std::isnan(value);
        found_.values.push_back(std::isnan(value) ? kMissing : within_clip(value * factors[k]));
      }
    counts_.values += record.header.samples * static_cast<int64_t>(signals.size());
  }

  // --- cases

  void add_case(size_t i, const Series& series) {
    if (series.failure) return fail(i, *series.failure);
    Span span{.begin = series.begin, .end = series.end};
    if (o_.window > 0) {
      span.begin = std::max(series.begin, series.end - o_.window);
      span.missing_before = o_.window - (span.end - span.begin);
    }
    keep(i, span);
  }

  void add_case_around(size_t i, int64_t column, const Series& series) {
    const auto step = number_in(storage::trimmed(place_.rows.cell(i, column)),
                                number_format(place_.data, place_.rows.table));
    if (!step || step->value != std::floor(step->value) || step->value < 0 || step->value > 1e15) {
      const Error error = bad_cell(place_.rows.table, place_.rows.used[i], column,
                                   "a whole number from 0 on", "correct the row");
      if (!place_.cases) throw error;
      return fail(i, error);
    }
    const int64_t at = series.begin + static_cast<int64_t>(step->value);
    Span span{.begin = std::clamp(at - o_.before, series.begin, series.end),
              .end = std::clamp(at + o_.after, series.begin, series.end)};
    span.missing_before = span.begin - (at - o_.before);
    span.missing_after = at + o_.after - span.end;
    keep(i, span);
  }

  void keep(size_t i, const Span& span) {
    if (const auto wrong = wrong_.lower_bound(span.begin);
        wrong != wrong_.end() && wrong->first < span.end)
      return fail(i, wrong->second);
    const int64_t absent = span.missing_before + span.missing_after;
    const bool empty = span.end <= span.begin && !o_.optional;
    const bool cut = o_.shorter == "refuse" && absent > 0;
    if (place_.cases && (empty || cut))
      return fail(i, of_row(i, empty ? "has no time step" : "is cut short", ""));
    const auto longest = place_.data.longest.find(place_.name);
    const int64_t steps = span.end - span.begin + (o_.shorter == "keep" ? 0 : absent);
    if (longest != place_.data.longest.end() && steps > longest->second)
      return fail(i,
                  of_row(i,
                         fmt::format("has {} time steps, wanted {} at most, for which the encoder "
                                     "has positions",
                                     steps, longest->second),
                         "set SeriesOptions::window, raise SequenceTransformerOptions::max_length, "
                         "or choose other positions"));
    if (empty)
      empty_.push_back(place_.rows.place(i));
    else if (cut)
      short_.push_back(place_.rows.place(i));
    found_.cases.push_back(span);
  }

  Error of_row(size_t i, const std::string& problem, const std::string& remedy) const {
    Error error = data_error(fmt::format("the series '{}' {}", place_.name, problem), remedy);
    error.add_place(fmt::format("{}: {}", place_.rows.table.name(), place_.rows.place(i)));
    return error;
  }

  void fail(size_t i, const Error& error) {
    found_.failures.emplace(i, error);
    found_.cases.emplace_back();
  }

  void raise(const std::vector<std::string>& places, const char* wanted) const {
    if (places.empty()) return;
    Error error = data_error(fmt::format("the series '{}' of {} cases ({}) {}", place_.name,
                                         places.size(), join(places, ", ", 5), wanted),
                             "leave them out");
    error.add_place(place_.rows.table.name());
    throw error;
  }

  // --- what is said

  template <class... Args>
  void note(fmt::format_string<Args...> text, Args&&... args) {
    place_.findings.notes.push_back(fmt::format("input '{}': ", place_.name) +
                                    fmt::format(text, std::forward<Args>(args)...));
  }

  void say() {
    std::vector<std::string>& notes = place_.findings.notes;
    for (size_t k = 0; k < readers_.size() && k < columns().size(); ++k)
      readers_[k].add_notes(place_.name + "." + columns()[k], notes);
    if (times_) times_->add_notes(place_.name + "." + o_.time, notes);
    say_columns();
    if (const int64_t all = counts_.missing + counts_.outside + counts_.invalid; all > 0) {
      std::vector<std::string> parts;
      for (const auto& [count, what] : {std::pair(counts_.missing, "among the texts of `missing`"),
                                        {counts_.invalid, "marked as invalid by the record"},
                                        {counts_.outside, "outside `clip`"}})
        if (count > 0) parts.push_back(fmt::format("{} {}", count, what));
      note("{} of {} values are not measured ({})", all, counts_.values, join(parts));
    }
    for (const auto& [units, signals] : converted_)
      note("{} signals are converted from {}", signals, units);
    if (counts_.uncalibrated > 0)
      note("{} signals are not calibrated (no gain); 200 steps of the converter count as 1",
           counts_.uncalibrated);
    if (counts_.same_time > 0)
      note("{} time steps have the time of the one before, and stay in the order of the table",
           counts_.same_time);
    if (counts_.uneven > 0)
      note(
          "the time between steps varies in {} series, which the model sees only with "
          "SeriesOptions::time_channel",
          counts_.uneven);
    if (!found_.failures.empty())
      note("{} of {} series cannot be read, the first: {}", found_.failures.size(),
           found_.cases.size(), found_.failures.begin()->second.what());
  }

  /// "ecg.MLII": "-0.51 to 1.03 mV, 3 of 400 missing"
  void say_columns() {
    const size_t width = columns().size();
    for (size_t k = 0; k < width; ++k) {
      Range range;
      const size_t steps = found_.values.size() / width;
      for (size_t step = 0; step < steps; ++step) {
        const double value = found_.values[step * width + k];
        if (std::isnan(value))
          ++range.missing;
        else
          range.add(value);
      }
      const std::vector<std::string>& units = found_.meaning.units;
      place_.findings.columns.push_back(
          {place_.name + "." + columns()[k],
           fmt::format("series, {}{}", range.text(false, steps),
                       k >= units.size() || units[k].empty() ? ""
                       : units[k] == kUncalibrated           ? ", " + units[k]
                                                             : ", in " + units[k])});
    }
  }

  struct Counts {
    int64_t values = 0;
    int64_t missing = 0, outside = 0, invalid = 0;  // values that are not measured
    int64_t same_time = 0, uneven = 0, uncalibrated = 0;
  };

  const SeriesOptions& o_;
  const InputPlace& place_;
  bool trained_;
  SeriesValues found_;
  std::vector<NumberReader> readers_;  // of each column
  std::optional<NumberReader> times_;
  Counts counts_;
  std::map<std::string, int64_t> converted_;  // "uV to mV", and how many signals
  std::map<int64_t, Error> wrong_;            // steps whose cells are wrong
  std::vector<std::string> empty_, short_;
};

}  // namespace

SeriesValues gather_series(const SeriesOptions& options, const InputPlace& place,
                           const SeriesMeaning& learned) {
  return Gatherer(options, place, learned).gather();
}

}  // namespace fovea::sources
