#include <fmt/format.h>
#include <torch/types.h>

#include <cmath>
#include <map>

#include "fovea/core/error.h"
#include "fovea/inputs/series.h"
#include "fovea/storage/hash.h"
#include "inputs/series_values.h"
#include "tables/numbers.h"

namespace fovea::inputs {
namespace {

/// What is fitted of one column, or of the time between steps.
struct FittedChannel {
  std::string name;
  std::string unit{};  // of a signal: "mV"
  double mean = 0, deviation = 1;
  bool indicator = false;  // some training value was missing

  void describe(Fields& f) {
    f("name", name, "");
    f("unit", unit, "");
    f("mean", mean, "");
    f("deviation", deviation, "");
    f("indicator", indicator, "");
  }
};

struct FittedSeries {
  std::vector<FittedChannel> columns{};
  FittedChannel time{};
  double rate = 0;
  bool dates = false;

  void describe(Fields& f) {
    f("columns", columns, "");
    f("time", time, "");
    f("rate", rate, "");
    f("dates", dates, "");
  }

  SeriesMeaning meaning() const {
    SeriesMeaning meaning{.rate = rate, .dates = dates};
    for (const FittedChannel& column : columns) {
      meaning.columns.push_back(column.name);
      meaning.units.push_back(column.unit);
    }
    return meaning;
  }

  int64_t width(bool with_time) const {
    int64_t width = with_time;
    for (const FittedChannel& column : columns) width += 1 + column.indicator;
    return width;
  }
};

class SeriesInput final : public Input, public Windows {
 public:
  SeriesInput(torch::Tensor values, SeriesValues found, FittedSeries fitted, int64_t length,
              const SeriesOptions& options)
      : values_(std::move(values)),
        cases_(std::move(found.cases)),
        failures_(std::move(found.failures)),
        fitted_(std::move(fitted)),
        length_(length),
        optional_(options.optional) {
    for (const FittedChannel& column : fitted_.columns) {
      names_.push_back(column.name);
      if (column.indicator) names_.push_back(column.name + " missing");
    }
    if (options.time_channel) names_.push_back(options.time + " since the step before");
    if (options.table.empty() && options.column.empty())
      for (const std::string& name : options.columns) seen_.push_back({.name = name});
  }

  torch::Tensor read(int64_t index, Origin&) const override {
    if (const auto failure = failures_.find(static_cast<size_t>(index)); failure != failures_.end())
      throw failure->second;
    const Span& span = cases_.at(static_cast<size_t>(index));
    const torch::Tensor steps = values_.slice(0, span.begin, span.end);
    if (length_ < 0 || span.missing_before + span.missing_after == 0) return steps;
    return at::constant_pad_nd(steps, {0, 0, span.missing_before, span.missing_after});
  }
  bool has(int64_t index) const override {
    const Span& span = cases_.at(static_cast<size_t>(index));
    return !optional_ || span.end > span.begin || failures_.contains(static_cast<size_t>(index));
  }
  InputShape shape() const override {
    return {.sizes = {length_, values_.size(1)}, .columns = names_, .optional = optional_};
  }
  std::vector<SeenColumn> columns() const override { return seen_; }
  Node fitted() const override { return Fields::write(fitted_); }
  std::pair<int64_t, int64_t> window(int64_t index) const override {
    const Span& span = cases_.at(static_cast<size_t>(index));
    return {span.begin, span.end};
  }
  std::string fingerprint() const override {
    storage::Sha256 hash;
    hash.add({static_cast<const char*>(values_.const_data_ptr()), values_.nbytes()});
    hash.add({reinterpret_cast<const char*>(cases_.data()), cases_.size() * sizeof(Span)});
    return hash.hex();
  }

 private:
  torch::Tensor values_;  // float32 [steps, channels]
  std::vector<Span> cases_;
  std::map<size_t, Error> failures_;
  FittedSeries fitted_;
  int64_t length_;  // of all cases; -1: it varies
  bool optional_;
  std::vector<std::string> names_;  // of the channels
  std::vector<SeenColumn> seen_;
};

class Maker {
 public:
  Maker(const SeriesOptions& options, const InputPlace& place) : o_(options), place_(place) {}

  InputPtr make() {
    FittedSeries fitted;
    if (place_.fitted) Fields::read(*place_.fitted, fitted);
    found_ = gather_series(o_, place_, fitted.meaning());
    if (found_.absent) return nullptr;  // the table ends all, and names the files
    if (!place_.fitted) fit(fitted);
    const int64_t length = o_.shorter == "keep" ? -1
                           : o_.at.empty()      ? o_.window
                                                : o_.before + o_.after;
    const torch::Tensor values = standard(fitted);
    refuse_too_large();
    return std::make_shared<SeriesInput>(values, std::move(found_), std::move(fitted), length, o_);
  }

 private:
  size_t at(int64_t step, size_t column) const {
    return static_cast<size_t>(step) * found_.meaning.columns.size() + column;
  }

  void fit(FittedSeries& fitted) const {
    std::vector<bool> read(static_cast<size_t>(found_.steps()));  // by training cases
    for (const size_t i : place_.training)
      if (i < found_.cases.size())
        std::fill(read.begin() + found_.cases[i].begin, read.begin() + found_.cases[i].end, true);
    const SeriesMeaning& meaning = found_.meaning;
    fitted.rate = meaning.rate;
    fitted.dates = meaning.dates;
    for (size_t column = 0; column < meaning.columns.size(); ++column) {
      fitted.columns.push_back(fit_channel(meaning.columns[column], read, [&](int64_t step) {
        return found_.values[at(step, column)];
      }));
      if (!meaning.units.empty()) fitted.columns.back().unit = meaning.units[column];
    }
    if (fitted.columns.empty()) throw found_.failures.begin()->second;  // no file could be read
    if (!o_.time_channel) return;
    const std::vector<double> gaps = times_since();
    fitted.time =
        fit_channel(o_.time, read, [&](int64_t step) { return gaps[static_cast<size_t>(step)]; });
  }

  template <class Value>
  FittedChannel fit_channel(const std::string& name, const std::vector<bool>& read,
                            const Value& value) const {
    FittedChannel channel{.name = name};
    std::vector<double> numbers;
    for (int64_t step = 0; step < found_.steps(); ++step) {
      if (!read[static_cast<size_t>(step)]) continue;
      const double v = value(step);
      if (std::isnan(v))
        channel.indicator = true;
      else
        numbers.push_back(v);
    }
    if (numbers.empty() && !found_.failures.empty()) throw found_.failures.begin()->second;
    if (numbers.empty()) throw refused(name, "no training case has a value", "leave it out");
    const tables::Spread spread = tables::spread_of(numbers);
    if (!std::isfinite(spread.mean) || !std::isfinite(spread.deviation))
      throw refused(name, "found numbers so large that their mean or deviation is none",
                    "name those that stand for 'not measured' in `missing`, or set `clip`");
    channel.mean = spread.mean;
    // Constant but for rounding, which grows with the mean.
    channel.deviation = spread.deviation > 1e-12 * std::abs(spread.mean) ? spread.deviation : 1;
    return channel;
  }

  Error refused(const std::string& column, const char* problem, const char* remedy) const {
    Error error = data_error(problem, remedy);
    error.add_place(
        fmt::format("{}: input '{}': column '{}'", place_.rows.table.name(), place_.name, column));
    return error;
  }

  std::vector<double> times_since() const {
    std::vector<double> gaps(found_.times.size());
    int64_t begin = 0;
    for (const int64_t end : found_.ends) {
      for (auto step = static_cast<size_t>(begin) + 1; step < static_cast<size_t>(end); ++step)
        gaps[step] = found_.times[step] - found_.times[step - 1];
      begin = end;
    }
    return gaps;
  }

  torch::Tensor standard(const FittedSeries& fitted) {
    const int64_t width = fitted.width(o_.time_channel);
    if (found_.meaning.columns.empty()) return torch::zeros({0, width});
    const torch::Tensor values = torch::zeros({found_.steps(), width});
    float* to = values.mutable_data_ptr<float>();
    for (size_t column = 0; column < fitted.columns.size(); ++column) {
      fill(fitted.columns[column], column, to, width);
      to += 1 + fitted.columns[column].indicator;
    }
    if (!o_.time_channel) return values;
    for (const double gap : times_since()) {
      *to = static_cast<float>((gap - fitted.time.mean) / fitted.time.deviation);
      to += width;
    }
    return values;
  }

  void fill(const FittedChannel& channel, size_t column, float* to, int64_t width) {
    int64_t begin = 0;
    for (const int64_t end : found_.ends) {
      float before = 0;  // the mean
      for (int64_t step = begin; step < end; ++step, to += width) {
        const double value = found_.values[at(step, column)];
        const bool missing = std::isnan(value);
        to[0] = missing ? before : static_cast<float>((value - channel.mean) / channel.deviation);
        if (!std::isfinite(to[0])) too_large_.emplace(step, channel.name);
        if (o_.fill == "forward") before = to[0];
        if (channel.indicator) to[1] = missing ? 1.0f : 0.0f;
      }
      begin = end;
    }
  }

  // A case whose numbers no float32 holds, in deviations of training: a model gets no infinity.
  void refuse_too_large() {
    for (size_t i = 0; i < found_.cases.size(); ++i) {
      const Span& span = found_.cases[i];
      const auto step = too_large_.lower_bound(span.begin);
      if (step == too_large_.end() || step->first >= span.end) continue;
      Error error = refused(step->second, "found a number too far from those of training",
                            "correct it, or name it in `missing`");
      error.add_place(place_.rows.place(i));
      fail(i, error);
    }
  }

  void fail(size_t i, const Error& error) {
    found_.failures.emplace(i, error);
    found_.cases[i] = {};
  }

  const SeriesOptions& o_;
  const InputPlace& place_;
  SeriesValues found_;
  std::map<int64_t, std::string> too_large_;  // steps, and the column
};

}  // namespace

InputType series_input(const SeriesOptions& options) {
  return {.open = [options](const InputPlace& place) { return Maker(options, place).make(); }};
}

}  // namespace fovea::inputs
