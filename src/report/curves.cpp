#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "fovea/report/plots.h"
#include "report/page.h"

namespace fovea::report {
namespace {

using metrics::Question;
using metrics::Scored;
using Points = std::vector<Point>;

constexpr double kSide = 440;        // of the square plot, pixels
constexpr size_t kLegendInside = 7;  // more entries stand beside the plot
constexpr const char* kOperatingPoint = "#111111";
const Stroke kReference{"#8c8c8c", 1.3, "5 4"};

Points roc_points(const Question& question) {
  Points points;
  for (const auto& point : metrics::roc_curve(question.ranking)) {
    points.push_back({point.false_positive_rate, point.true_positive_rate});
  }
  return points;
}

/// Steps: the precision of a recall holds back to the recall before it, as average precision
/// counts.
Points precision_recall_points(const Question& question) {
  Points points;
  double before = 0;
  for (const auto& point : metrics::precision_recall_curve(question.ranking)) {
    points.push_back({before, point.precision});
    points.push_back({point.recall, point.precision});
    before = point.recall;
  }
  return points;
}

/// The height of a rising-x curve at x: on a vertical piece its top (ROC) or its lower side
/// (steps), else interpolated.
double height_at(const Points& curve, double x) {
  const auto after =
      std::upper_bound(curve.begin(), curve.end(), x,
                       [](double value, const Point& point) { return value < point.x; });
  if (after == curve.begin()) return curve.front().y;
  const Point& left = *(after - 1);
  if (after == curve.end()) return left.y;
  return left.y + (after->y - left.y) * (x - left.x) / (after->x - left.x);
}

/// The mean height of the curves: its area is the mean of their areas.
Points mean_of(const std::vector<Points>& curves) {
  constexpr int kSteps = 400;
  Points mean;
  for (int i = 0; i <= kSteps; ++i) {
    const double x = static_cast<double>(i) / kSteps;
    double sum = 0;
    for (const Points& curve : curves) sum += height_at(curve, x);
    mean.push_back({x, sum / static_cast<double>(curves.size())});
  }
  return mean;
}

struct CurveType {
  const char* title;
  Axis x, y;
  const char* area_name;    // in the legend
  const char* metric_name;  // in the catalogue
  Points (*points)(const Question&);
  bool legend_right;
};

struct Drawing {
  std::vector<Points> curves;
  std::vector<Panel::Entry> entries;
  std::vector<Stroke> strokes;
  std::string why_empty;
};

Drawing curves_of(const Scored& scored, const CurveType& type) {
  const metrics::Metric& metric = metrics::metric(type.metric_name);
  Drawing drawing;
  std::vector<Points> of_classes;
  for (size_t k = 0; k < scored.questions.size(); ++k) {
    const Question& question = scored.questions[k];
    const metrics::MetricValue area = metric.of_question(question);
    if (!area.defined()) {
      drawing.why_empty = area.why_undefined;
      drawing.entries.push_back(
          {fmt::format("{} ({})", shortened(question.name, kLongestName), area.why_undefined),
           {"none", 0, {}}});
      continue;
    }
    of_classes.push_back(type.points(question));
    drawing.strokes.push_back(stroke_of_class(k));
    drawing.entries.push_back({fmt::format("{} ({} {:.3f})", shortened(question.name, kLongestName),
                                           type.area_name, area.value),
                               drawing.strokes.back()});
  }
  drawing.curves = of_classes;
  if (of_classes.size() > 1) {
    drawing.curves.push_back(mean_of(of_classes));
    drawing.strokes.push_back({"#111111", 2.6, {}});
    drawing.entries.push_back(
        {fmt::format("macro ({} {:.3f})", type.area_name, metric(scored).value),
         drawing.strokes.back()});
  }
  return drawing;
}

/// What is drawn around the curves.
struct Reference {
  Points line = {};  // dashed
  std::string name = {};
  std::optional<Point> operating_point = {};
};

std::string draw(const Scored& scored, const CurveType& type, std::string_view subtitle,
                 const Reference& reference) {
  Drawing drawing = curves_of(scored, type);
  const bool beside = drawing.entries.size() > kLegendInside;
  const double plot_width = kLeft + kSide + kRight;
  const double width = plot_width + (beside ? 280 : 0);
  const double legend_height = 19.0 * static_cast<double>(drawing.entries.size() + 2);
  const double height = kTop + std::max(kSide, beside ? legend_height : 0) + kBottom;
  Svg page(width, height, fmt::format("{}: {}", type.title, subtitle));
  headline(page, width, type.title, subtitle);
  Panel panel(page, {kLeft, kTop, kSide, kSide}, type.x, type.y);
  if (drawing.curves.empty()) {
    page.text({kLeft + kSide / 2, kTop + kSide / 2}, "undefined: " + drawing.why_empty,
              {.size = 15, .color = "#a33333", .anchor = Anchor::middle});
    return page.finish();
  }
  if (!reference.line.empty()) {
    panel.line(reference.line, kReference);
    drawing.entries.push_back({reference.name, kReference});
  }
  for (size_t i = 0; i < drawing.curves.size(); ++i)
    panel.line(drawing.curves[i], drawing.strokes[i]);
  if (reference.operating_point) {
    const Point point = *reference.operating_point;
    panel.marker(point, "#ffffff", 4.5, kOperatingPoint);
    drawing.entries.push_back({fmt::format("operating point ({:.2f}, {:.2f})", point.x, point.y),
                               {kOperatingPoint},
                               true});
  }
  if (beside) {
    panel.legend_at({plot_width, kTop}, drawing.entries);
  } else {
    panel.legend(drawing.entries, type.legend_right, true);
  }
  return page.finish();
}

/// The point of the decisions, where both metrics exist (binary mode).
std::optional<Point> decided(const Scored& scored,
                             metrics::MetricValue (*x)(const metrics::Counts&),
                             metrics::MetricValue (*y)(const metrics::Counts&)) {
  if (scored.mode != metrics::Mode::binary) return {};
  const auto& counts = scored.questions.front().counts;
  const metrics::MetricValue across = x(counts), up = y(counts);
  if (!across.defined() || !up.defined()) return {};
  return Point{across.value, up.value};
}

}  // namespace

std::string roc_curve_svg(const Scored& scored, std::string_view subtitle) {
  const CurveType type{.title = "ROC curve",
                       .x = {.label = "1 − specificity (false-positive rate)"},
                       .y = {.label = "Sensitivity (true-positive rate)"},
                       .area_name = "AUC",
                       .metric_name = "auc",
                       .points = roc_points,
                       .legend_right = true};
  Reference reference{.line = {{0, 0}, {1, 1}}, .name = "chance"};
  reference.operating_point = decided(scored, metrics::specificity, metrics::sensitivity);
  if (reference.operating_point) reference.operating_point->x = 1 - reference.operating_point->x;
  return draw(scored, type, subtitle, reference);
}

std::string precision_recall_svg(const Scored& scored, std::string_view subtitle) {
  const CurveType type{.title = "Precision-recall curve",
                       .x = {.label = "Recall (sensitivity)"},
                       .y = {.label = "Precision (positive predictive value)"},
                       .area_name = "AP",
                       .metric_name = "average_precision",
                       .points = precision_recall_points,
                       .legend_right = false};
  Reference reference{.operating_point = decided(scored, metrics::sensitivity, metrics::ppv)};
  if (scored.mode == metrics::Mode::binary) {
    const auto& counts = scored.questions.front().counts;
    const double prevalence = static_cast<double>(counts.positives()) /
                              static_cast<double>(std::max<int64_t>(counts.cases(), 1));
    reference.line = {{0, prevalence}, {1, prevalence}};
    reference.name = fmt::format("prevalence ({:.3f})", prevalence);
  }
  return draw(scored, type, subtitle, reference);
}

}  // namespace fovea::report
