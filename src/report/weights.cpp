#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "fovea/report/plots.h"
#include "report/page.h"

namespace fovea::report {

std::string weights_svg(std::span<const std::pair<std::string, double>> weights,
                        std::string_view title, std::string_view subtitle) {
  constexpr double kNames = 190, kBars = 330, kNumbers = 60, kRow = 22;
  constexpr size_t kMost = 40;
  std::vector<std::pair<std::string, double>> rows(weights.begin(), weights.end());
  std::ranges::stable_sort(rows, std::greater(), [](const auto& row) { return row.second; });
  const size_t left_out = rows.size() - std::min(rows.size(), kMost);
  rows.resize(rows.size() - left_out);

  const double width = kLeft + kNames + kBars + kNumbers + kRight;
  const double height = kTop + kRow * static_cast<double>(rows.size() + 1) + kRight;
  Svg page(width, height, fmt::format("{}: {}", title, subtitle));
  headline(page, width, title, subtitle);
  const double longest = rows.empty() ? 1 : std::max(rows[0].second, 1e-12);
  double top = kTop;
  for (const auto& [name, weight] : rows) {
    const double length = kBars * std::max(weight, 0.0) / longest;
    page.text({kLeft + kNames - 10, top + 15}, shortened(name, kLongestName),
              {.anchor = Anchor::end});
    page.rectangle({kLeft + kNames, top + 3}, length, kRow - 7, color_of_series(0));
    page.text({kLeft + kNames + length + 6, top + 15}, fmt::format("{:.3f}", weight),
              {.size = 12, .color = "#666666"});
    top += kRow;
  }
  if (left_out > 0)
    page.text({kLeft + kNames, top + 15}, fmt::format("and {} smaller ones", left_out),
              {.size = 12, .color = "#666666"});
  return page.finish();
}

}  // namespace fovea::report
