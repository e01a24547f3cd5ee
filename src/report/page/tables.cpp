#include <fmt/format.h>

#include <cmath>

#include "report/page/numbers.h"
#include "report/page/parts.h"

namespace fovea::report::page {
namespace {

constexpr size_t kNarrow = 4;  // columns of a table that is not stretched
// Rules of thumb for the population stability index.
constexpr double kSomeDrift = 0.1, kMuchDrift = 0.25;

std::string number_text(double value) {
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  return whole ? count_text(static_cast<int64_t>(value)) : digits(value).value;
}

Html cell(const Node& value, bool heads_row, bool numeric) {
  if (value.is_null()) {
    return html("<td{}><span class=\"none\">none</span></td>",
                {numeric ? html(" class=\"number\"") : Html()});
  }
  if (value.is_number()) return html("<td class=\"number\">{}</td>", {number_text(value.number())});
  return heads_row ? html("<th scope=\"row\">{}</th>", {value.text()})
                   : html("<td>{}</td>", {value.text()});
}

Html drift_strength(double psi) {
  if (psi >= kMuchDrift) return html(" <span class=\"tag strong\">much</span>");
  if (psi >= kSomeDrift) return html(" <span class=\"tag\">some</span>");
  return {};
}

}  // namespace

Html table(const Node& table, const Setting& setting) {
  const auto columns = table.items("columns"), rows = table.items("rows");
  std::vector<bool> numeric(columns.size(), false);
  Html body;
  for (const Node& row : rows) {
    const auto cells = row.items();
    if (cells.size() != columns.size()) throw row.wrong("wanted a value for each column");
    for (size_t i = 0; i < cells.size(); ++i) numeric[i] = numeric[i] || cells[i].is_number();
  }
  for (const Node& row : rows) {
    const auto cells = row.items();
    body += html("<tr>");
    for (size_t i = 0; i < cells.size(); ++i) body += cell(cells[i], i == 0, numeric[i]);
    body += html("</tr>\n");
  }
  Html head;
  for (size_t i = 0; i < columns.size(); ++i) {
    head += html("<th scope=\"col\"{}>{}</th>",
                 {numeric[i] ? html(" class=\"number\"") : Html(), columns[i].text()});
  }
  Html part;
  if (table.has("note")) part += html("<p>{}</p>\n", {table.text("note")});
  return part += scrolling(
             setting, table.text("title"),
             html("<table{}><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table>",
                  {columns.size() <= kNarrow ? html(" class=\"narrow\"") : Html(), head, body}));
}

Html drift(const Node& report) {
  const auto quantities = report.items("drift");
  if (quantities.empty()) return {};
  Html rows;
  for (const Node& one : quantities) {
    rows += html(
        "<tr><th scope=\"row\"><bdi>{}</bdi></th><td>{}</td><td class=\"words\">{}</td><td "
        "class=\"words\">{}</td>",
        {one.text("input"), one.text("quantity"), one.text("training"), one.text("here")});
    const auto psi = one.number("psi"), p = one.number("p");
    const std::string why = one.text_or("undefined", "no reason is given");
    const Html none =
        html("<span class=\"none\">undefined</span><span class=\"under\">{}</span>", {why});
    rows += html("<td class=\"number\">{}{}</td>", {psi ? html("{}", {digits(psi).value}) : none,
                                                    psi ? drift_strength(*psi) : Html()});
    rows += html("<td class=\"number\">{}{}</td></tr>\n",
                 {p ? html("{}", {p_value(*p)}) : none,
                  p && one.has("test") ? html("<span class=\"under\">{}</span>", {one.text("test")})
                                       : Html()});
  }
  return html(
      R"(<section id="drift">
<h2>Are these cases like those of the training?</h2>
<p>The population stability index (PSI) says how far the distribution of a quantity has moved. By a rule of thumb, from 0.1 on it has moved somewhat, from 0.25 on much. p is of a test that both sets of cases come from one distribution; of many cases it finds differences that do not matter.</p>
{}</section>
)",
      {scrolling(
          "Inputs here and in training",
          html(
              R"(<table><thead><tr><th scope="col">Input</th><th scope="col">Quantity</th><th scope="col">Training</th><th scope="col">Here</th><th scope="col" class="number">PSI</th><th scope="col" class="number">p</th></tr></thead><tbody>
{}</tbody></table>)",
              {rows}))});
}

}  // namespace fovea::report::page
