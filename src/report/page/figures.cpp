#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/text.h"
#include "report/page/numbers.h"
#include "report/page/parts.h"
#include "report/page/words.h"

namespace fovea::report::page {
namespace {

struct Range {
  std::optional<double> low, high;
};

Range range_of(const Node& bounds) {
  const Range range{bounds.number("low"), bounds.number("high")};
  return range.low && range.high ? range : Range{};
}

Html bounds_text(const Digits& shown, const Node& bounds) {
  if (shown.low.empty())
    return html(R"(<span class="none">none: {}</span>)",
                {bounds.text_or("undefined", "no reason is given")});
  return html("{} to {}", {shown.low, shown.high});
}

Html value_text(const Digits& shown) {
  return shown.value.empty() ? html(R"(<span class="none">undefined</span>)")
                             : html("{}", {shown.value});
}

Digits digits_of(const Node& figure) {
  const auto value = figure.number("value");
  if (!value) return {};
  const Range range = range_of(figure.at("interval"));
  return digits(value, range.low, range.high);
}

std::string goal_of(const Node& figure) {
  const std::string goal = figure.text("goal");
  if (goal == "higher" || goal == "lower") return goal + " is better";
  return goal + " is best";
}

Html name_cell(const Node& figure) {
  Html cell = html("<span class=\"name\">{}</span> <span class=\"goal\">{}</span>",
                   {label_of(figure.text("name")), goal_of(figure)});
  const std::string help = help_of(figure);
  if (!help.empty()) cell += html("<span class=\"help\">{}</span>", {help});
  if (figure.has("note"))
    cell += html("<span class=\"help\">{}</span>", {sentence(figure.text("note"))});
  return cell;
}

/// The method, with the other intervals to be opened.
Html method_cell(const Node& figure) {
  Html cell = html("{}", {figure.at("interval").text("method")});
  const auto others = figure.items("also");
  if (others.empty()) return cell;
  Html list;
  for (const Node& other : others) {
    const Range range = range_of(other);
    const Digits shown = digits(figure.number("value"), range.low, range.high);
    list += html("<li>{}: {}</li>", {other.text("method"), bounds_text(shown, other)});
  }
  return cell += html(
             "<details><summary>{}<span class=\"hidden\"> of "
             "{}</span></summary><ul>{}</ul></details>",
             {others.size() == 1 ? "1 other interval"
                                 : fmt::format("{} other intervals", others.size()),
              label_of(figure.text("name")), list});
}

}  // namespace

Html scrolling(const Setting& setting, std::string_view label, const Html& table) {
  return scrolling(fmt::format("{}, {}", label, setting.name), table);
}

Html figures_table(const std::vector<Node>& figures, const Setting& setting) {
  if (figures.empty()) return {};
  Html rows;
  for (const Node& figure : figures) {
    const Digits shown = digits_of(figure);
    rows += html("<tr><th scope=\"row\">{}</th><td class=\"number value\">{}</td>",
                 {name_cell(figure), value_text(shown)});
    if (shown.value.empty()) {
      rows += html("<td colspan=\"3\">{}</td></tr>\n",
                   {figure.text_or("undefined", "no reason is given")});
      continue;
    }
    rows += html(
        "<td class=\"number range\">{}</td><td class=\"number\">{}</td><td "
        "class=\"method\">{}</td></tr>\n",
        {bounds_text(shown, figure.at("interval")), count_text(figure.count("n")),
         method_cell(figure)});
  }
  return scrolling(
      setting, "Metrics",
      html(
          R"(<table class="figures"><thead><tr><th scope="col">Metric</th><th scope="col" class="number">Value</th><th scope="col" class="number">{}</th><th scope="col" class="number">n</th><th scope="col">Method of the interval</th></tr></thead><tbody>
{}</tbody></table>)",
          {interval_name(setting.level), rows}));
}

Html figure_cell(const Node& figure) {
  const Digits shown = digits_of(figure);
  if (shown.value.empty()) {
    return html(
        "<td class=\"number\"><span class=\"none\">undefined</span><span "
        "class=\"under\">{}</span></td>",
        {figure.text_or("undefined", "no reason is given")});
  }
  return html(
      "<td class=\"number\" data-sort=\"{}\">{}<span class=\"under\">{}</span></td>",
      {number(*figure.number("value")), shown.value, bounds_text(shown, figure.at("interval"))});
}

Html per_class(const Node& target, const Setting& setting) {
  const auto classes = target.items("per_class");
  if (classes.empty()) return {};
  std::vector<std::string> names;
  for (const Node& one : classes)
    for (const Node& figure : one.items("figures"))
      if (std::ranges::find(names, figure.text("name")) == names.end())
        names.push_back(figure.text("name"));
  Html head, rows;
  for (const std::string& name : names)
    head += html("<th scope=\"col\" class=\"number\">{}</th>", {short_label_of(name)});
  const auto counts = target.items("classes");
  for (const Node& one : classes) {
    const std::string name = one.text("class");
    rows += html("<tr><th scope=\"row\"><bdi>{}</bdi></th>", {name});
    const auto count =
        std::ranges::find_if(counts, [&](const Node& other) { return other.text("name") == name; });
    rows +=
        count == counts.end()
            ? html("<td class=\"number\"></td>")
            : html(
                  "<td class=\"number\" data-sort=\"{}\">{}<span class=\"under\">of {}</span></td>",
                  {count->count("n"), count_text(count->count("n")),
                   count_text(count->count("known"))});
    const auto figures = one.items("figures");
    for (const std::string& wanted : names) {
      const auto figure = std::ranges::find_if(
          figures, [&](const Node& other) { return other.text("name") == wanted; });
      rows += figure == figures.end() ? html("<td class=\"number\"></td>") : figure_cell(*figure);
    }
    rows += html("</tr>\n");
  }
  return html("<p class=\"small\">Under each value its {}.</p>\n",
              {interval_name(setting.level)}) +=
         scrolling(
             setting, "Metrics of each class",
             html(
                 R"(<table class="sortable"><thead><tr><th scope="col">Class</th><th scope="col" class="number">Cases</th>{}</tr></thead><tbody>
{}</tbody></table>)",
                 {head, rows}));
}

}  // namespace fovea::report::page
