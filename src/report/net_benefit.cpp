#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fovea/metrics/decision.h"
#include "fovea/report/plots.h"
#include "report/page.h"

namespace fovea::report {

std::string net_benefit_svg(const metrics::Question& question, std::string_view subtitle) {
  constexpr double kSide = 440;
  constexpr int kThresholds = 99;  // of 1 % to 99 %
  const double width = kLeft + kSide + kRight, height = kTop + kSide + kBottom;
  Svg page(width, height, fmt::format("Net benefit: {}", subtitle));
  headline(page, width, "Net benefit", subtitle);
  std::vector<double> thresholds;
  for (int i = 1; i <= kThresholds; ++i) thresholds.push_back(i / (kThresholds + 1.0));
  const auto curve = metrics::decision_curve(question.ranking, thresholds);
  std::vector<Point> model, all;
  double most = 0;
  for (const metrics::NetBenefit& one : curve) {
    model.push_back({one.threshold, one.model});
    all.push_back({one.threshold, one.treat_all});
    most = std::max({most, one.model, one.treat_all});
  }
  // Below 0 nothing is worth doing: a little of it shows where a curve goes.
  const Axis y{.label = "Net benefit", .low = -0.25 * most, .high = most > 0 ? 1.05 * most : 1};
  Panel panel(
      page, {kLeft, kTop, kSide, kSide},
      {.label = fmt::format("Threshold probability of {}", shortened(question.name, kLongestName))},
      y);
  if (curve.empty()) {
    page.text({kLeft + kSide / 2, kTop + kSide / 2}, "undefined: no case was evaluated",
              {.size = 15, .color = "#a33333", .anchor = Anchor::middle});
    return page.finish();
  }
  const auto above = [&](std::vector<Point> points) {  // what lies outside is not drawn
    for (Point& point : points) point.y = point.y < y.low ? std::nan("") : point.y;
    return points;
  };
  const Stroke none{"#8c8c8c", 1.3, "5 4"}, every{color_of_series(1), 1.8, "7 3"},
      ours{color_of_series(0), 2.2, {}};
  panel.line(std::vector<Point>{{0, 0}, {1, 0}}, none);
  panel.line(above(all), every);
  panel.line(above(model), ours);
  panel.legend(
      std::vector<Panel::Entry>{
          {"the model", ours}, {"as if all were positive", every}, {"as if none were", none}},
      true, false);
  return page.finish();
}

}  // namespace fovea::report
