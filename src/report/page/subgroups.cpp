#include <fmt/format.h>

#include <algorithm>

#include "report/page/numbers.h"
#include "report/page/parts.h"
#include "report/page/words.h"

namespace fovea::report::page {
namespace {

Html row_of(const Node& group, const std::vector<std::string>& metrics) {
  Html row = html("<tr><th scope=\"row\"><bdi>{}</bdi>", {group.text("value")});
  const auto n = group.maybe_count("n"), patients = group.maybe_count("patients");
  if (!n) {  // and nothing that it could be reckoned from
    return row += html(
               "</th><td colspan=\"{}\"><span class=\"none\">withheld: too few cases to be shown "
               "without pointing at persons</span></td></tr>\n",
               {metrics.size() + 2});
  }
  if (group.flag("small")) row += html(" <span class=\"tag\">small group</span>");
  row += html("</th><td class=\"number\" data-sort=\"{}\">{}</td>", {*n, count_text(*n)});
  row += patients ? html("<td class=\"number\" data-sort=\"{}\">{}</td>",
                         {*patients, count_text(*patients)})
                  : html("<td class=\"number\"></td>");
  const auto figures = group.items("figures");
  for (const std::string& wanted : metrics) {
    const auto figure = std::ranges::find_if(
        figures, [&](const Node& other) { return other.text("name") == wanted; });
    row += figure == figures.end() ? html("<td class=\"number\"></td>") : figure_cell(*figure);
  }
  return row += html("</tr>\n");
}

Html groups_table(const Node& subgroup, const Setting& setting) {
  const auto groups = subgroup.items("groups");
  std::vector<std::string> metrics;
  for (const Node& group : groups) {
    if (!group.has("n")) continue;
    for (const Node& figure : group.items("figures"))
      if (std::ranges::find(metrics, figure.text("name")) == metrics.end())
        metrics.push_back(figure.text("name"));
  }
  Html head, rows;
  for (const std::string& metric : metrics)
    head += html("<th scope=\"col\" class=\"number\">{}</th>", {short_label_of(metric)});
  for (const Node& group : groups) rows += row_of(group, metrics);
  const std::string column = subgroup.text("column");
  return scrolling(
      setting, fmt::format("Subgroups by {}", column),
      html(
          R"(<table class="sortable"><thead><tr><th scope="col"><bdi>{}</bdi></th><th scope="col" class="number">Cases</th><th scope="col" class="number">Patients</th>{}</tr></thead><tbody>
{}</tbody></table>)",
          {column, head, rows}));
}

Html gaps_table(const Node& subgroup, const Setting& setting) {
  const auto gaps = subgroup.items("gaps");
  if (gaps.empty()) return {};
  Html rows;
  for (const Node& gap : gaps) {
    const Node interval = gap.at("interval");
    const auto low = interval.number("low"), high = interval.number("high");
    const auto difference = gap.number("difference");
    const bool whole = low && high;
    const Digits shown = whole ? digits(difference, low, high) : digits(difference);
    rows += html(
        "<tr><th scope=\"row\">{}</th><td><bdi>{}</bdi></td><td><bdi>{}</bdi></td><td "
        "class=\"number value\">{}</td><td class=\"number range\">{}</td><td "
        "class=\"method\">{}</td></tr>\n",
        {short_label_of(gap.text("metric")), gap.text("low_group"), gap.text("high_group"),
         shown.value,
         whole ? html("{} to {}", {shown.low, shown.high})
               : html("<span class=\"none\">none: {}</span>",
                      {interval.text_or("undefined", "no reason is given")}),
         interval.text("method")});
  }
  return scrolling(
      setting, fmt::format("Largest gaps by {}", subgroup.text("column")),
      html(
          R"(<table><caption>The largest gap of each metric. It is the largest of several, so chance alone makes some.</caption><thead><tr><th scope="col">Metric</th><th scope="col">Lowest in</th><th scope="col">Highest in</th><th scope="col" class="number">Gap</th><th scope="col" class="number">{}</th><th scope="col">Method of the interval</th></tr></thead><tbody>
{}</tbody></table>)",
          {interval_name(setting.level), rows}));
}

}  // namespace

Html subgroups(const Node& target, const Setting& setting) {
  const auto all = target.items("subgroups");
  if (all.empty()) return {};
  bool small = false, withheld = false;
  Html parts;
  for (const Node& subgroup : all) {
    parts += html("<h4>By <bdi>{}</bdi></h4>\n", {subgroup.text("column")});
    if (subgroup.has("note")) parts += html("<p>{}</p>\n", {subgroup.text("note")});
    parts += groups_table(subgroup, setting);
    parts += gaps_table(subgroup, setting);
    for (const Node& group : subgroup.items("groups")) {
      withheld = withheld || !group.has("n");
      small = small || (group.has("n") && group.flag("small"));
    }
  }
  Html words = html("Under each value its {}.", {interval_name(setting.level)});
  if (small) words += html(" A small group has fewer than 20 cases: its values say little.");
  if (withheld)
    words += html(
        " Groups of very few cases are withheld, and where one alone could be had by subtraction, "
        "another with it.");
  return html("<p class=\"small\">{}</p>\n{}", {words, parts});
}

}  // namespace fovea::report::page
