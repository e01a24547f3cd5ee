#include <fmt/format.h>

#include "fovea/core/text.h"
#include "report/page/numbers.h"
#include "report/page/parts.h"
#include "report/page/words.h"

namespace fovea::report::page {
namespace {

/// What the model's makers had seen already.
bool is_of_the_making(const Node& report) {
  const std::string split = report.text("split");
  return !report.at("data").flag("external") &&
         (split == "train" || split == "val" || split == "all");
}

/// As it was chosen where that is short: 0.43.
std::string exactly(double threshold) {
  const std::string all = number(threshold), shown = digits(threshold).value;
  return all.size() < shown.size() ? all : shown;
}

}  // namespace

Html operating_points(const Node& report, const Node& target, const Setting& setting) {
  if (!target.has("decision")) return {};
  const Node decision = target.at("decision");
  const auto points = decision.items("points");
  Html part = html("<p>{}</p>\n", {decision.text("rule")});
  if (points.size() == 1) {
    const Node& point = points.front();
    const double threshold = point.at("threshold").number();
    part += html(
        R"(<p class="point">Called <strong><bdi>{}</bdi></strong> at <strong>p ≥ {}</strong> <span class="small">(chosen: {})</span></p>
)",
        {point.text("class"), exactly(threshold), point.text("chosen")});
  } else if (!points.empty()) {
    Html rows;
    for (const Node& point : points) {
      rows += html(
          "<tr><th scope=\"row\"><bdi>{}</bdi></th><td class=\"number\">{}</td><td>{}</td></tr>\n",
          {point.text("class"), digits(point.number("threshold")).value, point.text("chosen")});
    }
    part += scrolling(
        setting, "Operating points",
        html(
            R"(<table class="narrow"><thead><tr><th scope="col">Class</th><th scope="col" class="number">Called at p ≥</th><th scope="col">Chosen</th></tr></thead><tbody>
{}</tbody></table>)",
            {rows}));
  }
  part += html(
      "<p>{} frozen in the model before this evaluation: nothing on this page was fitted to the "
      "evaluated cases.{}</p>\n",
      {points.size() > 1 ? "They were" : "It was",
       is_of_the_making(report)
           ? fmt::format(
                 " But these cases (split {}) had a part in making the model, so expect less of "
                 "others.",
                 report.text("split"))
           : ""});
  return part;
}

}  // namespace fovea::report::page
