#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/text.h"
#include "fovea/report/regression.h"
#include "report/page.h"

namespace fovea::report {
namespace {

constexpr double kSide = 440;       // of the square plot, pixels
constexpr size_t kMostDots = 4000;  // more make a file that no viewer likes
const Stroke kIdeal{"#8c8c8c", 1.3, "5 4"};

/// About four digits, whatever the unit.
std::string rounded(const metrics::MetricValue& metric) {
  return metric.defined() ? fmt::format("{:.4g}", metric.value) : "undefined";
}

void dots(Panel& panel, const std::vector<Point>& points) {
  const size_t step = (points.size() + kMostDots - 1) / kMostDots;
  for (size_t i = 0; i < points.size(); i += step)
    panel.marker(points[i], color_of_series(0), points.size() > 500 ? 1.8 : 3, "#ffffff");
}

void level(Panel& panel, const Axis& x, double y, const Stroke& stroke) {
  panel.line(std::vector<Point>{{x.low, y}, {x.high, y}}, stroke);
}

}  // namespace

std::string scatter_svg(const metrics::Numbers& numbers, std::string_view target,
                        std::string_view subtitle) {
  const double width = kLeft + kSide + kRight, height = kTop + kSide + kBottom;
  const std::string name = shortened(target, kLongestName);
  Svg page(width, height, fmt::format("Predicted against true: {}", subtitle));
  headline(page, width, "Predicted against true", subtitle);
  std::vector<double> all = numbers.targets;
  all.insert(all.end(), numbers.predicted.begin(), numbers.predicted.end());
  const Axis x = axis_around(fmt::format("True {}", name), all);
  Axis y = x;
  y.label = fmt::format("Predicted {}", name);
  Panel panel(page, {kLeft, kTop, kSide, kSide}, x, y);
  panel.line(std::vector<Point>{{x.low, x.low}, {x.high, x.high}}, kIdeal);
  std::vector<Point> points;
  for (size_t i = 0; i < numbers.cases(); ++i)
    points.push_back({numbers.targets[i], numbers.predicted[i]});
  dots(panel, points);
  panel.legend(std::vector<Panel::Entry>{{fmt::format("cases (RMSE {}, R² {})",
                                                      rounded(metrics::rmse(numbers)),
                                                      rounded(metrics::r2(numbers))),
                                          {color_of_series(0), 2, {}},
                                          true},
                                         {"predicted = true", kIdeal}},
               false, false);
  return page.finish();
}

std::string bland_altman_svg(const metrics::Numbers& numbers, std::string_view target,
                             std::string_view subtitle) {
  const double width = kLeft + kSide + kRight, height = kTop + kSide + kBottom;
  const std::string name = shortened(target, kLongestName);
  Svg page(width, height, fmt::format("Bland-Altman: {}", subtitle));
  headline(page, width, "Agreement (Bland-Altman)", subtitle);
  const metrics::Agreement agreement = metrics::limits_of_agreement(numbers);
  std::vector<Point> points;
  std::vector<double> means, differences{0};
  for (size_t i = 0; i < numbers.cases(); ++i) {
    points.push_back({(numbers.predicted[i] + numbers.targets[i]) / 2,
                      numbers.predicted[i] - numbers.targets[i]});
    means.push_back(points.back().x);
    differences.push_back(points.back().y);
  }
  for (const metrics::MetricValue& limit : {agreement.low, agreement.high})
    if (limit.defined()) differences.push_back(limit.value);
  const Axis x = axis_around(fmt::format("Mean of predicted and true {}", name), means);
  Panel panel(page, {kLeft, kTop, kSide, kSide}, x,
              axis_around(fmt::format("Predicted - true {}", name), differences));
  const Stroke bias{color_of_series(1), 2, {}}, limits{color_of_series(1), 1.4, "6 4"};
  level(panel, x, 0, kIdeal);
  dots(panel, points);
  std::vector<Panel::Entry> entries{{"cases", {color_of_series(0), 2, {}}, true}};
  if (agreement.bias.defined()) {
    level(panel, x, agreement.bias.value, bias);
    entries.push_back({fmt::format("bias {}", rounded(agreement.bias)), bias});
  }
  if (agreement.low.defined()) {
    level(panel, x, agreement.low.value, limits);
    level(panel, x, agreement.high.value, limits);
    entries.push_back({fmt::format("limits of agreement {} to {}", rounded(agreement.low),
                                   rounded(agreement.high)),
                       limits});
  }
  panel.legend(entries, true, false);
  return page.finish();
}

}  // namespace fovea::report
