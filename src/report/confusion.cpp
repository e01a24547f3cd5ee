#include <fmt/format.h>

#include <algorithm>

#include "fovea/report/plots.h"
#include "report/page.h"

namespace fovea::report {

std::string confusion_matrix_svg(const metrics::ConfusionMatrix& matrix,
                                 std::span<const std::string> classes, std::string_view subtitle) {
  const size_t k = matrix.classes();
  constexpr size_t kLetters = 20;
  const double cell = std::clamp(560.0 / static_cast<double>(std::max<size_t>(k, 1)), 34.0, 120.0);
  const double name_size = cell < 50 ? 11 : 13;
  double longest = 0;
  for (const std::string& name : classes)
    longest = std::max(longest, text_width(shortened(name, kLetters), name_size));
  const bool slanted = longest > cell - 6;  // names over the columns
  const double left = std::max(kLeft, longest + 58), side = cell * static_cast<double>(k);
  const double below = slanted ? longest * 0.72 + 52 : 62;
  const double width = std::max(left + side + kRight, 420.0), height = kTop + side + below;

  Svg page(width, height, fmt::format("Confusion matrix: {}", subtitle));
  headline(page, width, "Confusion matrix", subtitle);
  for (size_t truth = 0; truth < k; ++truth) {
    const double top = kTop + cell * static_cast<double>(truth);
    const std::string name = shortened(classes[truth], kLetters);
    page.text({left - 10, top + cell / 2 + 4.5}, name, {.size = name_size, .anchor = Anchor::end});
    const double center = left + cell * (static_cast<double>(truth) + 0.5);
    page.text({slanted ? center + 4 : center, kTop + side + 20}, name,
              {.size = name_size,
               .anchor = slanted ? Anchor::end : Anchor::middle,
               .degrees = slanted ? -45.0 : 0.0});
    const int64_t row = matrix.truths(truth);
    for (size_t decision = 0; decision < k; ++decision) {
      const int64_t count = matrix.at(truth, decision);
      const double part = row == 0 ? 0 : static_cast<double>(count) / static_cast<double>(row);
      const Point corner{left + cell * static_cast<double>(decision), top};
      page.rectangle(corner, cell, cell, shade(part), "#ffffff");
      const std::string ink = part > 0.62 ? "#ffffff" : count == 0 ? "#aaaaaa" : "#222222";
      const double size = std::clamp(cell / 4.5, 9.5, 20.0), middle = corner.x + cell / 2;
      const bool room = cell >= 44;
      page.text({middle, top + cell / 2 + (room ? -1 : size * 0.35)}, fmt::format("{}", count),
                {.size = size, .color = ink, .anchor = Anchor::middle, .bold = truth == decision});
      if (room && row > 0) {
        page.text({middle, top + cell / 2 + size * 0.95}, fmt::format("{:.1f} %", 100 * part),
                  {.size = std::max(9.5, size * 0.65), .color = ink, .anchor = Anchor::middle});
      }
    }
  }
  page.rectangle({left, kTop}, side, side, "none", "#555555");
  page.text({left + side / 2, height - 16}, "Decision", {.anchor = Anchor::middle});
  page.text({24, kTop + side / 2}, "Truth (rows add up to 100 %)",
            {.anchor = Anchor::middle, .degrees = -90});
  return page.finish();
}

}  // namespace fovea::report
