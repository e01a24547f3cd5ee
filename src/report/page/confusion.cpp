#include <fmt/format.h>

#include <array>
#include <cmath>

#include "report/page/numbers.h"
#include "report/page/parts.h"

namespace fovea::report::page {
namespace {

constexpr size_t kMostClasses = 40;  // a wider matrix is no table that anyone reads

using Color = std::array<double, 3>;
constexpr Color kLight[] = {{250, 251, 252}, {107, 174, 214}, {8, 69, 130}};
constexpr Color kDark[] = {{34, 40, 48}, {40, 96, 140}, {142, 201, 240}};

Color mixed(const Color* stops, double part) {
  const double place = std::min(part, 1.0) * 2;
  const size_t from = place < 1 ? 0 : 1;
  Color color{};
  for (size_t c = 0; c < 3; ++c)
    color[c] = std::lerp(stops[from][c], stops[from + 1][c], place - static_cast<double>(from));
  return color;
}

/// Relative luminance (WCAG 2).
double luminance(const Color& color) {
  constexpr Color kWeights{0.2126, 0.7152, 0.0722};
  double sum = 0;
  for (size_t c = 0; c < 3; ++c) {
    const double x = color[c] / 255;
    sum += kWeights[c] * (x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4));
  }
  return sum;
}

std::string hex(const Color& color) {
  return fmt::format("#{:02x}{:02x}{:02x}", std::lround(color[0]), std::lround(color[1]),
                     std::lround(color[2]));
}

/// Ground and ink for both colour schemes; of black and white the one with more contrast, 4.5 at
/// least.
std::string colors(double part) {
  const Color light = mixed(kLight, part), dark = mixed(kDark, part);
  const auto ink = [](const Color& ground) { return luminance(ground) > 0.179 ? "#000" : "#fff"; };
  return fmt::format("--l:{};--li:{};--d:{};--di:{}", hex(light), ink(light), hex(dark), ink(dark));
}

}  // namespace

bool has_confusion(const Node& target) {
  return target.has("confusion_matrix") &&
         target.at("confusion_matrix").items("classes").size() <= kMostClasses;
}

Html confusion(const Node& target, const Setting& setting) {
  if (!target.has("confusion_matrix")) return {};
  const Node matrix = target.at("confusion_matrix");
  const auto classes = matrix.items("classes"), rows = matrix.items("counts");
  if (!has_confusion(target)) {
    return html(
        "<p>{} classes are more than a table on this page can show; report.json has the "
        "counts.</p>\n",
        {classes.size()});
  }
  if (rows.size() != classes.size()) throw matrix.wrong("wanted a row of counts for each class");
  Html head, body;
  for (const Node& name : classes)
    head += html("<th scope=\"col\" class=\"number\"><bdi>{}</bdi></th>", {name.text()});
  for (size_t truth = 0; truth < rows.size(); ++truth) {
    const auto cells = rows[truth].items();
    if (cells.size() != classes.size()) throw rows[truth].wrong("wanted a count for each class");
    int64_t sum = 0;
    for (const Node& cell : cells) sum += cell.count();
    body += html("<tr><th scope=\"row\"><bdi>{}</bdi></th>", {classes[truth].text()});
    for (size_t decision = 0; decision < cells.size(); ++decision) {
      const int64_t count = cells[decision].count();
      const double part = sum > 0 ? static_cast<double>(count) / static_cast<double>(sum) : 0;
      body += html("<td class=\"shaded{}\" style=\"{}\">{}<span class=\"under\">{}</span></td>",
                   {truth == decision ? " right" : "", colors(part), count_text(count),
                    sum > 0 ? percent(part) : ""});
    }
    body += html("<td class=\"number total\">{}</td></tr>\n", {count_text(sum)});
  }
  return html(
             "<p class=\"small\">Rows are the truth and add up to 100 %; columns are what the "
             "model decided.</p>\n") +=
         scrolling(
             setting, "Confusion matrix",
             html(
                 R"(<table class="matrix"><thead><tr><th scope="col">Truth</th>{}<th scope="col" class="number">All</th></tr></thead><tbody>
{}</tbody></table>)",
                 {head, body}));
}

}  // namespace fovea::report::page
