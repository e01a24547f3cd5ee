#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fovea/metrics/regression.h"
#include "fovea/report/plots.h"
#include "report/page.h"

namespace fovea::report {
namespace {

struct Series {
  std::string split;
  std::string color;
  std::vector<Point> points;
};

/// The splits in order of appearance: a split has the same colour in both panels.
std::vector<std::string> splits_of(std::span<const HistoryRow> history) {
  std::vector<std::string> splits;
  for (const HistoryRow& row : history) {
    if (std::ranges::find(splits, row.split) == splits.end()) splits.push_back(row.split);
  }
  return splits;
}

/// The values of one metric by epoch, a series per split that has any.
std::vector<Series> series_of(std::span<const HistoryRow> history, std::string_view metric) {
  std::vector<Series> all;
  const std::vector<std::string> splits = splits_of(history);
  for (size_t i = 0; i < splits.size(); ++i) {
    Series series{splits[i], color_of_series(i), {}};
    for (const HistoryRow& row : history) {
      if (row.metric != metric || row.split != splits[i]) continue;
      series.points.push_back({static_cast<double>(row.epoch), row.value});
    }
    std::ranges::stable_sort(series.points, {}, &Point::x);
    if (!series.points.empty()) all.push_back(std::move(series));
  }
  return all;
}

/// Whether a curve of it goes up where all is well: the legend then stands below. With several
/// targets the name is "label.auc".
bool rises(std::string_view metric) {
  const std::string_view name = metric.substr(metric.rfind('.') + 1);
  const auto high = [&](const auto& known) {
    return known.name == name && known.goal == metrics::kHigher;
  };
  return std::ranges::any_of(metrics::catalogue(), high) ||
         std::ranges::any_of(metrics::regression_catalogue(), high);
}

void draw(Svg& page, Panel::Area area, const std::vector<Series>& all, std::string_view metric,
          Axis epochs, int64_t best_epoch, bool legend_at_bottom) {
  std::vector<double> values;
  for (const Series& series : all) {
    for (const Point& point : series.points) values.push_back(point.y);
  }
  Panel panel(page, area, epochs, axis_around(std::string(metric), values));
  std::vector<Panel::Entry> entries;
  for (const Series& series : all) {
    const Stroke stroke{series.color, 2, {}};
    panel.line(series.points, stroke);
    if (series.points.size() <= 40) {
      for (const Point& point : series.points) {
        if (!std::isnan(point.y)) panel.marker(point, stroke.color, 3);
      }
    }
    entries.push_back({series.split, stroke});
  }
  if (best_epoch >= 0) {
    const double x = static_cast<double>(best_epoch);
    const Stroke mark{"#8c8c8c", 1.3, "5 4"};
    page.line(panel.at({x, panel.y().low}), panel.at({x, panel.y().high}), mark);
    entries.push_back({fmt::format("best epoch ({})", best_epoch), mark});
  }
  panel.legend(entries, true, legend_at_bottom);
}

}  // namespace

std::string learning_curves_svg(std::span<const HistoryRow> history, std::string_view metric,
                                int64_t best_epoch, std::string_view subtitle) {
  constexpr double kWidth = 560, kHeight = 230, kGap = 30;
  const std::vector<Series> losses = series_of(history, "loss"),
                            values = metric == "loss" ? std::vector<Series>{}
                                                      : series_of(history, metric);
  const bool two = !values.empty();
  const double width = kLeft + kWidth + kRight,
               height = kTop + kHeight * (two ? 2 : 1) + (two ? kGap : 0) + kBottom;
  Axis epochs{.label = "Epoch", .low = INFINITY, .high = -INFINITY, .integers = true};
  for (const HistoryRow& row : history) {
    epochs.low = std::min(epochs.low, static_cast<double>(row.epoch));
    epochs.high = std::max(epochs.high, static_cast<double>(row.epoch));
  }
  if (epochs.low > epochs.high) epochs.low = epochs.high = 0;
  if (epochs.low == epochs.high) {
    epochs.low -= 1;
    epochs.high += 1;
  }
  Svg page(width, height, fmt::format("Learning curves: {}", subtitle));
  headline(page, width, "Learning curves", subtitle);
  Axis upper = epochs;
  if (two)
    upper = {.label = "",
             .low = epochs.low,
             .high = epochs.high,
             .integers = true,
             .labelled_ticks = false};
  draw(page, {kLeft, kTop, kWidth, kHeight}, losses, "loss", upper, best_epoch, false);
  if (two) {
    draw(page, {kLeft, kTop + kHeight + kGap, kWidth, kHeight}, values, metric, epochs, best_epoch,
         rises(metric));
  }
  return page.finish();
}

}  // namespace fovea::report
