#include "fovea/report/robustness.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fovea/report/svg.h"
#include "report/page.h"

namespace fovea::report {

std::string robustness_svg(const Robustness& robustness, std::string_view subtitle) {
  constexpr double kWide = 440, kHigh = 280;
  const double width = kLeft + kWide + kRight, height = kTop + kHigh + kBottom;
  const std::string metric =
      robustness.estimates.empty() ? "metric" : robustness.estimates[0].key.name;
  const std::string title = fmt::format("{} under {}", metric, robustness.perturbation);
  Svg page(width, height, fmt::format("{}: {}", title, subtitle));
  headline(page, width, title, subtitle);
  std::vector<double> values;
  std::vector<Point> curve;
  for (size_t k = 0; k < robustness.estimates.size(); ++k) {
    const metrics::Estimate& one = robustness.estimates[k];
    curve.push_back({robustness.strengths[k], one.value.value});
    if (one.value.defined()) values.push_back(one.value.value);
    if (!one.bounds.interval.defined()) continue;
    values.push_back(one.bounds.interval.low);
    values.push_back(one.bounds.interval.high);
  }
  Axis x = axis_around(fmt::format("{} ({})", robustness.perturbation, robustness.unit),
                       robustness.strengths);
  x.low = 0;
  Panel panel(page, {kLeft, kTop, kWide, kHigh}, x, axis_around(metric, values));
  const Stroke line{color_of_series(0), 2, {}}, bar{color_of_series(0), 1.4, {}};
  for (size_t k = 0; k < robustness.estimates.size(); ++k)
    if (const metrics::Interval& interval = robustness.estimates[k].bounds.interval;
        interval.defined())
      panel.line(std::vector<Point>{{robustness.strengths[k], interval.low},
                                    {robustness.strengths[k], interval.high}},
                 bar);
  panel.line(curve, line);
  for (const Point& point : curve)
    if (!std::isnan(point.y)) panel.marker(point, line.color, 4, "#ffffff");
  return page.finish();
}

Table robustness_table(const std::vector<Robustness>& all) {
  Table table{.title = "Robustness",
              .note =
                  "The main metric of the same cases after each image was perturbed; strength 0 is "
                  "the evaluation above. Nothing was trained or chosen for it.",
              .columns = {"perturbation", "strength", "value", "95 % interval"},
              .rows = {}};
  for (const Robustness& robustness : all)
    for (size_t k = 0; k < robustness.estimates.size(); ++k) {
      const metrics::Estimate& one = robustness.estimates[k];
      const metrics::Interval& interval = one.bounds.interval;
      table.rows.push_back({fmt::format("{} ({})", robustness.perturbation, robustness.unit),
                            robustness.strengths[k], one.value.value,
                            interval.defined()
                                ? fmt::format("{:.3f} to {:.3f}", interval.low, interval.high)
                                : "none: " + interval.why_undefined});
    }
  return table;
}

}  // namespace fovea::report
