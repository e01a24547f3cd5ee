#include <fmt/format.h>
#include <torch/types.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/sources/series.h"
#include "fovea/storage/hash.h"
#include "sources/numbers.h"
#include "sources/series_values.h"

namespace fovea::sources {
namespace {

/// What is learned of one column, or of the time between steps.
struct LearnedChannel {
  std::string name;
  double mean = 0, deviation = 1;
  bool indicator = false;  // some training value was missing

  void describe(Fields& f) {
    f("name", name, "");
    f("mean", mean, "");
    f("deviation", deviation, "");
    f("indicator", indicator, "");
  }
};

struct LearnedSeries {
  std::vector<LearnedChannel> columns{};
  LearnedChannel time{};

  void describe(Fields& f) {
    f("columns", columns, "");
    f("time", time, "");
  }

  int64_t width(bool with_time) const {
    int64_t width = with_time;
    for (const LearnedChannel& column : columns) width += 1 + column.indicator;
    return width;
  }
};

class SeriesInput final : public Input {
 public:
  SeriesInput(torch::Tensor values, std::vector<Span> cases, LearnedSeries learned, int64_t length,
              const SeriesOptions& options)
      : values_(std::move(values)),
        cases_(std::move(cases)),
        learned_(std::move(learned)),
        length_(length),
        optional_(options.optional) {
    for (const LearnedChannel& column : learned_.columns) {
      names_.push_back(column.name);
      if (column.indicator) names_.push_back(column.name + " missing");
    }
    if (options.time_channel) names_.push_back(options.time + " since the step before");
  }

  torch::Tensor read(int64_t index) const override {
    const Span& span = cases_.at(static_cast<size_t>(index));
    const torch::Tensor steps = values_.slice(0, span.begin, span.end);
    if (length_ < 0 || span.missing_before + span.missing_after == 0) return steps;
    return at::constant_pad_nd(steps, {0, 0, span.missing_before, span.missing_after});
  }
  bool has(int64_t index) const override {
    const Span& span = cases_.at(static_cast<size_t>(index));
    return !optional_ || span.end > span.begin;
  }
  InputShape shape() const override {
    return {.sizes = {length_, values_.size(1)}, .columns = names_, .optional = optional_};
  }
  Node learned() const override { return Fields::write(learned_); }
  std::pair<int64_t, int64_t> span(int64_t index) const override {
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
  LearnedSeries learned_;
  int64_t length_;  // of all cases; -1: it varies
  bool optional_;
  std::vector<std::string> names_;  // of the channels
};

class Maker {
 public:
  Maker(const SeriesOptions& options, const InputPlace& place) : o_(options), place_(place) {}

  InputPtr make() {
    LearnedSeries learned;
    if (place_.learned) Fields::read(*place_.learned, learned);
    std::vector<std::string> names;
    for (const LearnedChannel& column : learned.columns) names.push_back(column.name);
    found_ = gather_series(o_, place_, names);
    if (!place_.learned) learn(learned);
    const int64_t length = o_.shorter == "keep" ? -1
                           : o_.at.empty()      ? o_.window
                                                : o_.before + o_.after;
    const torch::Tensor values = standard(learned);
    return std::make_shared<SeriesInput>(values, std::move(found_.cases), std::move(learned),
                                         length, o_);
  }

 private:
  size_t at(int64_t step, size_t column) const {
    return static_cast<size_t>(step) * found_.columns.size() + column;
  }

  void learn(LearnedSeries& learned) const {
    std::vector<bool> read(static_cast<size_t>(found_.steps()));  // by training cases
    for (const size_t i : place_.training)
      if (i < found_.cases.size())
        std::fill(read.begin() + found_.cases[i].begin, read.begin() + found_.cases[i].end, true);
    for (size_t column = 0; column < found_.columns.size(); ++column) {
      learned.columns.push_back(fitted(found_.columns[column], read, [&](int64_t step) {
        return found_.values[at(step, column)];
      }));
    }
    if (!o_.time_channel) return;
    const std::vector<double> gaps = times_since();
    learned.time =
        fitted(o_.time, read, [&](int64_t step) { return gaps[static_cast<size_t>(step)]; });
  }

  template <class Value>
  LearnedChannel fitted(const std::string& name, const std::vector<bool>& read,
                        const Value& value) const {
    LearnedChannel channel{.name = name};
    std::vector<double> numbers;
    for (int64_t step = 0; step < found_.steps(); ++step) {
      if (!read[static_cast<size_t>(step)]) continue;
      const double v = value(step);
      if (std::isnan(v))
        channel.indicator = true;
      else
        numbers.push_back(v);
    }
    if (numbers.empty())
      throw data_error(
          fmt::format("{}: input '{}': column '{}': no training case has a value; "
                      "leave it out",
                      place_.rows.table.name(), place_.name, name));
    const Spread spread = spread_of(numbers);
    channel.mean = spread.mean;
    // Constant but for rounding, which grows with the mean.
    channel.deviation = spread.deviation > 1e-12 * std::abs(spread.mean) ? spread.deviation : 1;
    return channel;
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

  torch::Tensor standard(const LearnedSeries& learned) const {
    const int64_t width = learned.width(o_.time_channel);
    const torch::Tensor values = torch::zeros({found_.steps(), width});
    float* to = values.mutable_data_ptr<float>();
    for (size_t column = 0; column < learned.columns.size(); ++column) {
      fill(learned.columns[column], column, to, width);
      to += 1 + learned.columns[column].indicator;
    }
    if (!o_.time_channel) return values;
    for (const double gap : times_since()) {
      *to = static_cast<float>((gap - learned.time.mean) / learned.time.deviation);
      to += width;
    }
    return values;
  }

  void fill(const LearnedChannel& channel, size_t column, float* to, int64_t width) const {
    int64_t begin = 0;
    for (const int64_t end : found_.ends) {
      float before = 0;  // the mean
      for (int64_t step = begin; step < end; ++step, to += width) {
        const double value = found_.values[at(step, column)];
        const bool missing = std::isnan(value);
        to[0] = missing ? before : static_cast<float>((value - channel.mean) / channel.deviation);
        if (o_.fill == "forward") before = to[0];
        if (channel.indicator) to[1] = missing ? 1.0f : 0.0f;
      }
      begin = end;
    }
  }

  const SeriesOptions& o_;
  const InputPlace& place_;
  SeriesValues found_;
};

}  // namespace

InputPtr series_input(const SeriesOptions& options, const InputPlace& place) {
  return Maker(options, place).make();
}

}  // namespace fovea::sources
