#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fovea/core/text.h"
#include "fovea/report/svg.h"

namespace fovea::report {
namespace {

const Stroke kGrid{"#e6e6e6", 1, {}};
const Stroke kFrame{"#555555", 1, {}};
constexpr double kLegendSize = 12.5, kLegendLine = 19, kLegendKey = 26;
constexpr int kTicks = 6;

/// The round step that cuts `range` into about `wanted` pieces.
double nice_step(double range, int wanted, bool integers) {
  const double raw = range / wanted;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (double factor : {1.0, 2.0, 2.5, 5.0, 10.0}) {
    const double step = factor * power;
    if (integers && (step < 1 || step != std::floor(step))) continue;
    if (step >= raw * 0.999) return step;
  }
  return std::max(10 * power, integers ? 1.0 : 0.0);
}

/// Enough decimals to tell the ticks apart, the same for all of them.
std::string tick_text(double tick, double step) {
  if (std::abs(tick) >= 1e5 || step < 1e-5) return number(tick);
  int decimals = 0;
  while (decimals < 6 &&
         std::abs(std::round(step * std::pow(10, decimals)) / std::pow(10, decimals) - step) >
             step * 1e-6) {
    ++decimals;
  }
  return fmt::format("{:.{}f}", tick + 0.0, decimals);
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int wanted, bool integers) {
  if (!(high > low)) return {low};
  const double step = nice_step(high - low, wanted, integers);
  std::vector<double> ticks;
  const double slack = step * 1e-6;
  const double first = std::ceil((low - slack) / step);
  // Counted, because beyond 2^53 steps from 0 the next one is no other number.
  for (int k = 0; k <= 4 * wanted && (first + k) * step <= high + slack; ++k)
    ticks.push_back((first + k) * step);
  return ticks;
}

Axis axis_around(std::string label, std::span<const double> values) {
  Axis axis{.label = std::move(label)};
  double low = INFINITY, high = -INFINITY;
  for (double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) return axis;
  const double size = std::max(std::abs(low), std::abs(high));
  if (high - low <= 1e-12 * size) {
    const double room = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= room;
    high += room;
  }
  const double step = nice_step(high - low, kTicks - 1, false);
  axis.low = std::floor(low / step + 1e-9) * step;
  axis.high = std::ceil(high / step - 1e-9) * step;
  return axis;
}

Panel::Panel(Svg& page, Area area, Axis x, Axis y)
    : page_(page), area_(area), x_(std::move(x)), y_(std::move(y)) {
  const double bottom = area.top + area.height, right = area.left + area.width;
  const auto x_ticks =
      nice_ticks(x_.low, x_.high, std::max(2, static_cast<int>(area.width / 75)), x_.integers);
  const auto y_ticks = nice_ticks(
      y_.low, y_.high, std::clamp(static_cast<int>(area.height / 45), 2, kTicks), y_.integers);
  double widest = 0;
  for (double tick : x_ticks) {
    const double x_px = at({tick, y_.low}).x;
    page.line({x_px, area.top}, {x_px, bottom}, kGrid);
    page.line({x_px, bottom}, {x_px, bottom + 5}, kFrame);
    if (!x_.labelled_ticks) continue;
    const double step = x_ticks.size() > 1 ? x_ticks[1] - x_ticks[0] : 1;
    page.text({x_px, bottom + 19}, tick_text(tick, step), {.size = 12, .anchor = Anchor::middle});
  }
  for (double tick : y_ticks) {
    const double y_px = at({x_.low, tick}).y;
    page.line({area.left, y_px}, {right, y_px}, kGrid);
    page.line({area.left - 5, y_px}, {area.left, y_px}, kFrame);
    const double step = y_ticks.size() > 1 ? y_ticks[1] - y_ticks[0] : 1;
    const std::string text = tick_text(tick, step);
    widest = std::max(widest, text_width(text, 12));
    page.text({area.left - 9, y_px + 4}, text, {.size = 12, .anchor = Anchor::end});
  }
  page.rectangle({area.left, area.top}, area.width, area.height, "none", kFrame.color);
  page.text({area.left + area.width / 2, bottom + (x_.labelled_ticks ? 42 : 20)}, x_.label,
            {.anchor = Anchor::middle});
  page.text({area.left - 22 - std::max(widest, 20.0), area.top + area.height / 2}, y_.label,
            {.anchor = Anchor::middle, .degrees = -90});
}

Point Panel::at(Point data) const {
  return {area_.left + (data.x - x_.low) / (x_.high - x_.low) * area_.width,
          area_.top + (y_.high - data.y) / (y_.high - y_.low) * area_.height};
}

void Panel::line(std::span<const Point> data, const Stroke& stroke) {
  std::vector<Point> run;
  for (size_t i = 0; i <= data.size(); ++i) {
    if (i == data.size() || std::isnan(data[i].y)) {
      page_.polyline(run, stroke);
      run.clear();
      continue;
    }
    const Point point = at(data[i]);
    const bool last = i + 1 == data.size();
    if (!run.empty() && !last && std::hypot(point.x - run.back().x, point.y - run.back().y) < 0.5)
      continue;
    const bool in_line =
        run.size() >= 2 && ((run.back().x == point.x && run[run.size() - 2].x == point.x) ||
                            (run.back().y == point.y && run[run.size() - 2].y == point.y));
    if (in_line) run.pop_back();
    run.push_back(point);
  }
}

void Panel::marker(Point data, std::string_view fill, double radius, std::string_view border) {
  page_.circle(at(data), radius, fill, border);
}

void Panel::bar(double from, double to, double height, std::string_view fill) {
  const Point upper = at({from, height}), lower = at({to, y_.low});
  page_.rectangle({upper.x + 0.75, upper.y}, lower.x - upper.x - 1.5, lower.y - upper.y, fill);
}

void Panel::legend(std::span<const Entry> list, bool right, bool bottom) {
  if (list.empty()) return;
  double widest = 0;
  for (const Entry& entry : list) widest = std::max(widest, text_width(entry.text, kLegendSize));
  const double width = widest + kLegendKey + 24,
               height = static_cast<double>(list.size()) * kLegendLine + 12;
  const Point corner{right ? area_.left + area_.width - width - 10 : area_.left + 10,
                     bottom ? area_.top + area_.height - height - 10 : area_.top + 10};
  page_.rectangle(corner, width, height, "#ffffff", "#cccccc");
  entries({corner.x + 10, corner.y + 6}, list);
}

void Panel::legend_at(Point corner, std::span<const Entry> list) { entries(corner, list); }

void Panel::entries(Point corner, std::span<const Entry> list) {
  for (size_t i = 0; i < list.size(); ++i) {
    const double middle = corner.y + (static_cast<double>(i) + 0.5) * kLegendLine;
    if (list[i].dot) {
      page_.circle({corner.x + kLegendKey / 2, middle}, 4.5, "#ffffff", list[i].stroke.color);
    } else {
      page_.line({corner.x, middle}, {corner.x + kLegendKey, middle}, list[i].stroke);
    }
    page_.text({corner.x + kLegendKey + 8, middle + 4.5}, list[i].text, {.size = kLegendSize});
  }
}

}  // namespace fovea::report
