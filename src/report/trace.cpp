#include <fmt/format.h>

#include <algorithm>

#include "fovea/report/plots.h"
#include "report/page.h"

namespace fovea::report {
namespace {

constexpr size_t kMostTraces = 8;
constexpr double kWidth = 860, kHeight = 110, kGap = 34;  // of one trace, pixels

}  // namespace

std::string traces_svg(std::span<const Trace> traces, std::span<const double> weights,
                       std::string_view title, std::string_view subtitle) {
  const size_t shown = std::min(traces.size(), kMostTraces);
  const double height = kTop + 16 + (kHeight + kGap) * static_cast<double>(shown) + kRight;
  Svg page(kWidth, height, fmt::format("{}: {}", title, subtitle));
  headline(page, kWidth, title, subtitle);
  const double plot = kWidth - kLeft - kRight;
  const auto steps = static_cast<double>(std::max<size_t>(weights.size(), 1));
  const double most = weights.empty() ? 1 : std::max(*std::ranges::max_element(weights), 1e-12);
  const auto x_of = [&](double step) { return kLeft + plot * step / steps; };
  double top = kTop + 16;
  for (const Trace& trace : traces.first(shown)) {
    // The ground is the weight of the step, the line the measurement.
    for (size_t t = 0; t < weights.size(); ++t)
      page.rectangle({x_of(static_cast<double>(t)), top}, plot / steps + 0.5, kHeight,
                     shade(0.75 * std::max(weights[t], 0.0) / most));
    page.text({kLeft, top - 5}, shortened(trace.name, 60), {.size = 12, .color = "#666666"});
    if (!trace.values.empty()) {
      const auto [low, high] = std::ranges::minmax(trace.values);
      const double range = high > low ? high - low : 1;
      std::vector<Point> points;
      for (size_t t = 0; t < trace.values.size(); ++t)
        points.push_back({x_of(static_cast<double>(t) + 0.5),
                          top + 6 + (kHeight - 12) * (high - trace.values[t]) / range});
      page.polyline(points, {.color = color_of_series(1), .width = 1.8});
      page.text({kLeft - 6, top + 14}, fmt::format("{:.3g}", high),
                {.size = 11, .color = "#666666", .anchor = Anchor::end});
      page.text({kLeft - 6, top + kHeight - 2}, fmt::format("{:.3g}", low),
                {.size = 11, .color = "#666666", .anchor = Anchor::end});
    }
    top += kHeight + kGap;
  }
  page.text({kLeft, top},
            fmt::format("{} time steps; darkest: {:.3f}{}", weights.size(), most,
                        traces.size() > shown
                            ? fmt::format("; {} more channels are not drawn", traces.size() - shown)
                            : ""),
            {.size = 12, .color = "#666666"});
  return page.finish();
}

}  // namespace fovea::report
