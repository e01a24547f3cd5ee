#include "sources/series_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/io/wfdb.h"
#include "fovea/storage/text.h"
#include "sources/numbers.h"
#include "sources/open.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

class Gatherer {
 public:
  Gatherer(const SeriesOptions& options, const InputPlace& place) : o_(options), place_(place) {}

  SeriesValues gather(const std::vector<std::string>& columns) {
    found_.columns = columns.empty() ? o_.columns : columns;
    check_settings();
    if (!o_.table.empty())
      read_long_table();
    else if (!o_.column.empty())
      read_files();
    else
      read_rows();
    raise(empty_, "have no time step, wanted one or more; leave them out");
    raise(short_, "are cut short, wanted all of the window (`shorter: refuse`); leave them out");
    return std::move(found_);
  }

 private:
  std::string setting(const char* name) const {
    return fmt::format("data.inputs.{}.{}", place_.name, name);
  }

  void check_settings() const {
    const bool around = !o_.at.empty();
    if (!o_.table.empty() && !o_.column.empty())
      throw config_error(
          fmt::format("{} and {}: found both, wanted one: a file per case, or a "
                      "table of all",
                      setting("column"), setting("table")));
    if (!o_.table.empty() && (o_.key.empty() || place_.data.id.empty()))
      throw config_error(
          fmt::format("{}: wanted {} and data.id too: columns with the id of the case",
                      setting("table"), setting("key")));
    if (around && (o_.column.empty() || o_.window > 0 || o_.before + o_.after < 1))
      throw config_error(
          fmt::format("{}: wanted with it a column of files, `before` or `after`, and "
                      "no `window`",
                      setting("at")));
    if (o_.time_channel && o_.time.empty())
      throw config_error(
          fmt::format("{}: wanted {} too", setting("time_channel"), setting("time")));
    if (!o_.clip.empty() && (o_.clip.size() != 2 || o_.clip[0] >= o_.clip[1]))
      throw config_error(fmt::format("{}: wanted [low, high]", setting("clip")));
    if (found_.columns.empty() && o_.column.empty())
      throw config_error(fmt::format("{}: found none, wanted one or more", setting("columns")));
    if (o_.shorter != "keep" && o_.window == 0 && !around)
      throw config_error(fmt::format("{}: wanted a `window` too", setting("shorter")));
  }

  // --- the three places

  void read_rows() {
    const Runs& runs = place_.runs();
    std::vector<int64_t> begins(runs.rows.size(), -1);
    for (size_t i = 0; i < place_.rows.size(); ++i) {
      const auto row = static_cast<size_t>(place_.rows.used[i]);
      int64_t& begin = begins[runs.run[row]];
      if (begin < 0) {
        begin = found_.steps();
        add_rows(place_.rows.table, runs.rows[runs.run[row]]);
      }
      add_case(i, begin, begin + static_cast<int64_t>(runs.position[row]) + 1);
    }
  }

  void read_files() {
    const std::vector<ListedFile> files = place_.files(
        {.column = o_.column, .folder = o_.folder, .ending = ".hea", .optional = o_.optional});
    const int64_t at = o_.at.empty() ? -1 : place_.rows.table.column(o_.at);
    std::map<fs::path, std::pair<int64_t, int64_t>> known;
    for (size_t i = 0; i < files.size(); ++i) {
      if (files[i].stamp == storage::FileStamp{}) {  // lacking, or complained of later
        found_.cases.emplace_back();
        continue;
      }
      const auto [one, added] = known.try_emplace(files[i].path);
      if (added) {
        one->second.first = found_.steps();
        add_file(files[i].path);
        one->second.second = found_.steps();
      }
      const auto [begin, end] = one->second;
      at < 0 ? add_case(i, begin, end) : add_case_around(i, at, begin, end);
    }
  }

  void read_long_table() {
    const fs::path path =
        (folder_of(place_.data, place_.rows.table.path()) / o_.table).lexically_normal();
    const storage::Table table = read_table(path, csv_options(place_.data));
    const int64_t key = table.column(o_.key), id = place_.rows.table.column(place_.data.id);
    std::unordered_map<std::string_view, std::vector<int64_t>> rows;
    for (size_t i = 0; i < place_.rows.size(); ++i) rows[place_.rows.cell(i, id)];
    for (int64_t row = 0; row < table.rows(); ++row)
      if (const auto own = rows.find(table.cell(row, key)); own != rows.end())
        own->second.push_back(row);
    for (size_t i = 0; i < place_.rows.size(); ++i) {
      std::vector<int64_t>& own = rows[place_.rows.cell(i, id)];
      sort_by_time(table, own);
      const int64_t begin = found_.steps();
      add_rows(table, own);
      add_case(i, begin, found_.steps());
    }
  }

  // --- time steps

  void sort_by_time(const storage::Table& table, std::vector<int64_t>& rows) const {
    if (o_.time.empty()) return;
    const int64_t column = table.column(o_.time);
    std::vector<std::pair<double, int64_t>> order;
    for (const int64_t row : rows) order.emplace_back(time_of(table, row, column), row);
    std::ranges::sort(order);
    for (size_t k = 0; k < rows.size(); ++k) rows[k] = order[k].second;
  }

  Error bad_cell(const storage::Table& table, int64_t row, int64_t column,
                 const char* wanted) const {
    return data_error(fmt::format("{}: {}: column '{}': found '{}', wanted {}", table.name(),
                                  table.place(row), table.columns()[static_cast<size_t>(column)],
                                  storage::escaped(table.cell(row, column), 40), wanted));
  }

  double time_of(const storage::Table& table, int64_t row, int64_t column) const {
    if (const auto time = finite_number(table.cell(row, column))) return *time;
    throw bad_cell(table, row, column, "a finite number as the time");
  }

  double value_of(const storage::Table& table, int64_t row, int64_t column) const {
    const std::string_view cell = table.cell(row, column);
    const auto number = finite_number(cell);
    if (std::ranges::find(o_.missing, cell) != o_.missing.end()) return kMissing;
    if (!number)
      throw bad_cell(table, row, column,
                     "a finite number, or one of the texts of `missing` for 'not measured'");
    return within_clip(*number);
  }

  double within_clip(double value) const {
    const bool outside = !o_.clip.empty() && (value < o_.clip[0] || value > o_.clip[1]);
    return outside ? kMissing : value;
  }

  void add_rows(const storage::Table& table, const std::vector<int64_t>& rows) {
    std::vector<int64_t> columns;
    for (const std::string& name : found_.columns) columns.push_back(table.column(name));
    for (const int64_t row : rows)
      for (const int64_t column : columns) found_.values.push_back(value_of(table, row, column));
    if (!o_.time.empty()) {
      const int64_t column = table.column(o_.time);
      for (size_t k = 0; k < rows.size(); ++k) {
        const double time = time_of(table, rows[k], column);
        if (k > 0 && time < found_.times.back())
          throw bad_cell(table, rows[k], column,
                         "no time before that of the row before; sort them");
        found_.times.push_back(time);
      }
    }
    found_.ends.push_back(found_.steps() + static_cast<int64_t>(rows.size()));
  }

  void add_file(const fs::path& path) {
    const int64_t most = place_.data.formats.max_decoded_mb << 20;
    if (path.extension() == ".hea") return add_record(path, io::read_wfdb(path, most));
    const storage::Table table = read_table(path, csv_options(place_.data));
    if (found_.columns.empty())
      throw config_error(fmt::format("{}: found none, wanted columns of {}", setting("columns"),
                                     storage::shown(path)));
    std::vector<int64_t> rows(static_cast<size_t>(table.rows()));
    std::iota(rows.begin(), rows.end(), 0);
    add_rows(table, rows);
  }

  void add_record(const fs::path& path, const io::WfdbRecord& record) {
    std::vector<std::string> names;
    for (const io::WfdbSignal& signal : record.header.signals) names.push_back(signal.name);
    if (found_.columns.empty()) found_.columns = names;
    std::vector<size_t> signals;
    for (const std::string& name : found_.columns) {
      const auto own = std::ranges::find(names, name);
      if (own == names.end())
        throw data_error(fmt::format("{}: found no signal '{}'; the signals are {}",
                                     storage::shown(path), name, join(names, ", ", 20)));
      signals.push_back(static_cast<size_t>(own - names.begin()));
    }
    if (!o_.time.empty())
      throw config_error(
          fmt::format("{}: found a WFDB record, whose steps are as far apart as each "
                      "other; leave it out",
                      setting("time")));
    for (int64_t t = 0; t < record.header.samples; ++t)
      for (const size_t signal : signals) {
        const double value = record.value(t, signal);
        found_.values.push_back(std::isnan(value) ? kMissing : within_clip(value));
      }
    found_.ends.push_back(found_.steps() + record.header.samples);
  }

  // --- cases

  void add_case(size_t i, int64_t begin, int64_t end) {
    Span span{.begin = begin, .end = end};
    if (o_.window > 0) {
      span.begin = std::max(begin, end - o_.window);
      span.missing_before = o_.window - (end - span.begin);
    }
    keep(i, span);
  }

  void add_case_around(size_t i, int64_t column, int64_t begin, int64_t end) {
    const auto step = finite_number(place_.rows.cell(i, column));
    if (!step || *step != std::floor(*step) || *step < 0 || *step > 1e15)
      throw bad_cell(place_.rows.table, place_.rows.used[i], column, "a whole number from 0 on");
    const int64_t at = begin + static_cast<int64_t>(*step);
    Span span{.begin = std::clamp(at - o_.before, begin, end),
              .end = std::clamp(at + o_.after, begin, end)};
    span.missing_before = span.begin - (at - o_.before);
    span.missing_after = at + o_.after - span.end;
    keep(i, span);
  }

  void keep(size_t i, const Span& span) {
    if (span.end <= span.begin && !o_.optional)
      empty_.push_back(place_.rows.place(i));
    else if (o_.shorter == "refuse" && span.missing_before + span.missing_after > 0)
      short_.push_back(place_.rows.place(i));
    found_.cases.push_back(span);
  }

  void raise(const std::vector<std::string>& places, const char* wanted) const {
    if (places.empty()) return;
    throw data_error(fmt::format("{}: the series '{}' of {} cases ({}) {}",
                                 place_.rows.table.name(), place_.name, places.size(),
                                 join(places, ", ", 5), wanted));
  }

  const SeriesOptions& o_;
  const InputPlace& place_;
  SeriesValues found_;
  std::vector<std::string> empty_, short_;
};

}  // namespace

SeriesValues gather_series(const SeriesOptions& options, const InputPlace& place,
                           const std::vector<std::string>& columns) {
  return Gatherer(options, place).gather(columns);
}

}  // namespace fovea::sources
