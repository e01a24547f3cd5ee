#include "inputs/series_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "fovea/core/text.h"
#include "fovea/storage/text.h"
#include "fovea/tables/read_table.h"
#include "fovea/tables/runs.h"
#include "inputs/series_steps.h"
#include "tables/cells.h"

namespace fovea::inputs {
namespace {

namespace fs = std::filesystem;

void check_settings(const SeriesOptions& o, const InputPlace& place) {
  const auto setting = [&](const char* name) {
    return fmt::format("DataOptions::inputs.{}.series.{}", place.name, name);
  };
  const auto check = [&](bool good, const char* name, std::string problem, std::string remedy) {
    if (good) return;
    Error error = config_error(std::move(problem), std::move(remedy));
    error.add_place(setting(name));
    throw error;
  };
  const bool around = !o.at.empty();
  check(o.table.empty() || o.column.empty(), "column", "found it and " + setting("table"),
        "keep one: a file per case, or a table of all");
  check(o.table.empty() || (!o.key.empty() && !place.read.id.empty()), "table",
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

class Gatherer {
 public:
  Gatherer(const SeriesOptions& options, const InputPlace& place, const SeriesMeaning& fitted)
      : o_(options), place_(place), steps_(options, place, fitted) {}

  SeriesValues gather() {
    if (!o_.table.empty())
      read_long_table();
    else if (!o_.column.empty())
      read_files();
    else
      read_rows();
    raise(empty_, "have no time step, wanted one or more");
    raise(short_, "are cut short, wanted all of the window (`shorter: refuse`)");
    steps_.say();
    if (!found_.failures.empty())
      note(fmt::format("{} of {} series cannot be read, the first: {}", found_.failures.size(),
                       found_.cases.size(), found_.failures.begin()->second.what()));
    found_.meaning = std::move(steps_.meaning);
    found_.values = std::move(steps_.values);
    found_.times = std::move(steps_.times);
    found_.ends = std::move(steps_.ends);
    return std::move(found_);
  }

 private:
  // --- the three places

  void read_rows() {
    const tables::Runs& runs = place_.runs();
    std::map<size_t, Series> known;  // by run
    for (size_t i = 0; i < place_.rows.size(); ++i) {
      const auto row = static_cast<size_t>(place_.rows.used[i]);
      const auto [one, added] = known.try_emplace(runs.run[row]);
      if (added)
        one->second = steps_.add_rows(place_.cases, place_.rows.table, runs.rows[runs.run[row]],
                                      /*sorted=*/false);
      Series until = one->second;
      until.end = until.begin + static_cast<int64_t>(runs.position[row]) + 1;
      add_case(i, until);
    }
  }

  void read_files() {
    const std::vector<ListedFile> files = place_.files(
        {.column = o_.column, .folder = o_.folder, .ending = ".hea", .optional = o_.optional});
    const int64_t at = o_.at.empty() ? -1 : place_.rows.column(o_.at);
    std::map<fs::path, Series> known;
    for (size_t i = 0; i < files.size(); ++i) {
      const bool absent = files[i].stamp == storage::FileStamp{} && !place_.cases;
      if (files[i].path.empty() || absent) {
        found_.absent |= !files[i].path.empty();
        found_.cases.emplace_back();
        continue;
      }
      const auto [one, added] = known.try_emplace(files[i].path);
      if (added) one->second = steps_.add_file(files[i].path);
      if (at < 0)
        add_case(i, one->second);
      else if (one->second.failure)
        fail(i, *one->second.failure);
      else
        add_case_around(i, at, one->second);
    }
  }

  void read_long_table() {
    const fs::path path = (place_.read.root / o_.table).lexically_normal();
    const storage::Table table = tables::read_table(path, place_.read.csv);
    const int64_t key = table.column(o_.key), id = place_.rows.column(place_.read.id);
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
      note(fmt::format("{} of {} rows of {} belong to none of the cases", strange, table.rows(),
                       storage::shown(path.filename())));
    for (size_t i = 0; i < place_.rows.size(); ++i)
      add_case(i, steps_.add_rows(place_.cases, table, rows[id_of(i)], /*sorted=*/true));
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
    const auto step =
        tables::number_in(storage::trimmed(place_.rows.cell(i, column)),
                          tables::number_format(place_.read.numbers, place_.rows.table));
    if (!step || step->value != std::floor(step->value) || step->value < 0 || step->value > 1e15) {
      Error error = data_error(fmt::format("found '{}', wanted a whole number from 0 on",
                                           storage::escaped(place_.rows.cell(i, column), 40)),
                               "correct the row");
      error.add_place(fmt::format("{}: {}: column '{}'", place_.rows.table.name(),
                                  place_.rows.place(i), o_.at));
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
    if (const Error* wrong = steps_.wrong_in(span.begin, span.end)) return fail(i, *wrong);
    const int64_t absent = span.missing_before + span.missing_after;
    const bool empty = span.end <= span.begin && !o_.optional;
    const bool cut = o_.shorter == "refuse" && absent > 0;
    if (place_.cases && (empty || cut))
      return fail(i, of_row(i, empty ? "has no time step" : "is cut short", ""));
    const int64_t longest = place_.read.longest;
    const int64_t steps = span.end - span.begin + (o_.shorter == "keep" ? 0 : absent);
    if (longest > 0 && steps > longest)
      return fail(i,
                  of_row(i,
                         fmt::format("has {} time steps, wanted {} at most, for which the encoder "
                                     "has positions",
                                     steps, longest),
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

  void note(const std::string& text) {
    place_.findings.notes.push_back(fmt::format("input '{}': {}", place_.name, text));
  }

  const SeriesOptions& o_;
  const InputPlace& place_;
  SeriesSteps steps_;
  SeriesValues found_;
  std::vector<std::string> empty_, short_;
};

}  // namespace

SeriesValues gather_series(const SeriesOptions& options, const InputPlace& place,
                           const SeriesMeaning& fitted) {
  check_settings(options, place);
  return Gatherer(options, place, fitted).gather();
}

}  // namespace fovea::inputs
