#include <fmt/format.h>

#include <algorithm>

#include "fovea/report/plots.h"
#include "report/page.h"

namespace fovea::report {

std::string reliability_svg(std::span<const metrics::ReliabilityBin> bins, std::string_view event,
                            std::string_view subtitle) {
  constexpr double kSide = 440, kGap = 22, kCounts = 110;
  const double width = kLeft + kSide + kRight, height = kTop + kSide + kGap + kCounts + kBottom;
  const std::string name = shortened(event, kLongestName);
  Svg page(width, height, fmt::format("Reliability: {}", subtitle));
  headline(page, width, "Reliability", subtitle);

  Panel diagram(page, {kLeft, kTop, kSide, kSide}, {.labelled_ticks = false},
                {.label = fmt::format("Observed frequency of {}", name)});
  const Stroke ideal{"#8c8c8c", 1.3, "5 4"}, curve{color_of_series(0), 2, {}};
  const std::string gap_color = color_of_series(1);
  std::vector<Point> points;
  std::vector<double> counts{0};
  diagram.line(std::vector<Point>{{0, 0}, {1, 1}}, ideal);
  for (const metrics::ReliabilityBin& bin : bins) {
    counts.push_back(static_cast<double>(bin.cases));
    if (bin.cases == 0) continue;
    points.push_back({bin.mean_probability, bin.observed});
    diagram.line(std::vector<Point>{{bin.mean_probability, bin.mean_probability}, points.back()},
                 {gap_color, 1.6, {}});
  }
  diagram.line(points, curve);
  for (const Point& point : points) diagram.marker(point, curve.color, 4.5, "#ffffff");
  const metrics::MetricValue error = metrics::ece(bins);
  diagram.legend(
      std::vector<Panel::Entry>{
          {error.defined() ? fmt::format("model (ECE {:.3f})", error.value) : "no cases", curve},
          {"distance from calibrated", {gap_color, 1.6, {}}},
          {"calibrated", ideal}},
      false, false);

  Axis cases = axis_around("Cases", counts);
  cases.integers = true;
  Panel histogram(page, {kLeft, kTop + kSide + kGap, kSide, kCounts},
                  {.label = fmt::format("Probability of {}", name)}, cases);
  for (const metrics::ReliabilityBin& bin : bins) {
    if (bin.cases > 0) histogram.bar(bin.low, bin.high, static_cast<double>(bin.cases), "#9ecae1");
  }
  return page.finish();
}

}  // namespace fovea::report
