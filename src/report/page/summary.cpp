#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/text.h"
#include "report/page/numbers.h"
#include "report/page/parts.h"
#include "report/page/words.h"

namespace fovea::report::page {
namespace {

constexpr size_t kClassesOfCard = 4;  // more are in the table of classes

Html fact(std::string_view name, const Html& value) {
  return html("<div><dt>{}</dt><dd>{}</dd></div>", {name, value});
}

/// "pneumonia 390 of 624 (62.5 %)" of each class; of two classes the positive one.
Html prevalence(const Node& target) {
  const std::string positive = target.text_or("positive_class", "");
  Html list;
  size_t shown = 0, all = 0;
  for (const Node& one : target.items("classes")) {
    if (!positive.empty() && one.text("name") != positive) continue;
    ++all;
    if (shown == kClassesOfCard) continue;
    ++shown;
    const int64_t n = one.count("n"), known = one.count("known");
    list += html(
        "<div><bdi>{}</bdi>: {} of {}{}</div>",
        {one.text("name"), count_text(n), count_text(known),
         known > 0
             ? fmt::format(" ({})", percent(static_cast<double>(n) / static_cast<double>(known)))
             : ""});
  }
  if (all > shown) list += html("<div>and {} more</div>", {all - shown});
  return list;
}

Html needed(const Node& figure) {
  if (!figure.has("n_for_half_width")) return {};
  const Node need = figure.at("n_for_half_width");
  const auto half = need.number("half_width");
  if (!half) return {};
  Html now;
  const Node interval = figure.at("interval");
  const auto low = interval.number("low"), high = interval.number("high");
  if (low && high) now = html("These cases give it to ± {}. ", {digits((*high - *low) / 2).value});
  return html(R"(<p class="small">{}For ± {}, about {} cases are needed.</p>)",
              {now, number(*half), count_text(need.count("n"))});
}

Html main_figure(const Node& figure, double level) {
  const auto value = figure.number("value");
  const std::string name = label_of(figure.text("name"));
  if (!value) {
    return html(R"(<p class="metric">{}</p><p class="large none">undefined</p><p>{}</p>)",
                {name, figure.text_or("undefined", "The report gives no reason.")});
  }
  const Node interval = figure.at("interval");
  const auto low = interval.number("low"), high = interval.number("high");
  const Digits shown = digits(value, low, high);
  const Html range =
      low && high
          ? html("{}: <strong>{} to {}</strong>", {interval_name(level), shown.low, shown.high})
          : html("no interval: {}", {interval.text_or("undefined", "no reason is given")});
  return html(
      R"(<p class="metric">{}</p><p class="large">{}</p><p class="range">{}</p><p class="small">{}</p>{})",
      {name, shown.value, range, low && high ? interval.text("method") : std::string(),
       needed(figure)});
}

/// What a yes-or-no answer is asked for first, at the operating point.
Html decided(const Node& target) {
  Html facts;
  if (target.text("type") != "binary") return facts;
  for (const Node& figure : target.items("figures")) {
    const std::string name = figure.text("name");
    const auto value = figure.number("value");
    if (!value || (name != "sensitivity" && name != "specificity")) continue;
    const Node interval = figure.at("interval");
    const auto low = interval.number("low"), high = interval.number("high");
    const Digits shown = digits(value, low, high);
    facts += fact(
        label_of(name),
        html("{}{}",
             {shown.value, low && high ? fmt::format(" ({} to {})", shown.low, shown.high) : ""}));
  }
  return facts;
}

Html card_of(const Node& target, double level) {
  Html card = html(R"(<article class="card"><h3><bdi>{}</bdi></h3><p class="small">{}</p>)",
                   {target.text("name"), words_of_type(target.text("type"))});
  const auto figures = target.items("figures");
  card += figures.empty()
              ? html(R"(<p class="large none">undefined</p><p>No metric was computed.</p>)")
              : main_figure(figures.front(), level);
  card += html(R"(<dl class="facts">)");
  card += fact("Cases", html("{}", {count_text(target.count("n"))}));
  card += fact("Patients", patients_of(target));
  const Html share = prevalence(target);
  if (!share.empty()) card += fact("Prevalence", share);
  card += decided(target);
  return card += html("</dl></article>\n");
}

}  // namespace

Html patients_of(const Node& of) {
  const auto patients = of.maybe_count("patients");
  return patients ? html("{}", {count_text(*patients)})
                  : html(R"(<span class="none">not named by the data</span>)");
}

Html masthead(const Node& report) {
  const Node data = report.at("data");
  const auto patients = data.maybe_count("patients");
  Html cases = html("{}", {counted(data.count("cases"), "case", "cases")});
  if (patients) cases += html(" of {}", {counted(*patients, "patient", "patients")});
  const std::string created = report.text("created");
  return html(
      R"(<header class="masthead"><p class="eyebrow">Evaluation report</p>
<h1><bdi>{}</bdi></h1>
<ul class="line"><li>Split <strong><bdi>{}</bdi></strong></li><li>{}</li><li><bdi>{}</bdi>{}</li><li><time datetime="{}">{}</time></li></ul>
</header>
)",
      {report.text("title"), report.text("split"), cases, data.text("name"),
       data.flag("external") ? " (external data)" : "", created, date_of(created)});
}

Html warnings_of(const Node& target, std::string_view about) {
  const auto warnings = target.items("warnings");
  if (warnings.empty()) return {};
  Html list;
  for (const Node& warning : warnings) {
    list += about.empty()
                ? html("<li>{}</li>", {warning.text()})
                : html("<li><strong><bdi>{}</bdi>:</strong> {}</li>", {about, warning.text()});
  }
  return list;
}

Html summary(const Node& report, bool images) {
  const double level = report.number("level").value_or(0.95);
  const auto targets = report.items("targets");
  Html part = html(R"(<section id="summary">
<h2>Summary</h2>
)");
  Html cards, warnings;
  for (const Node& target : targets) {
    cards += card_of(target, level);
    warnings += warnings_of(target, targets.size() > 1 ? target.text("name") : "");
  }
  if (targets.empty()) part += html("<p>Nothing was evaluated.</p>\n");
  part += html("<div class=\"cards\">{}</div>\n", {cards});
  if (!warnings.empty()) {
    part += html(
        R"(<div id="warnings" class="warning" role="note" aria-labelledby="warnings-title"><h3 id="warnings-title">Read this before the numbers</h3><ul>{}</ul></div>
)",
        {warnings});
  }
  const bool has_cases = std::ranges::any_of(
      targets, [](const Node& target) { return !target.items("failures").empty(); });
  if (has_cases) {
    part +=
        images
            ? html(
                  R"(<p class="privacy"><strong>Patient data.</strong> The thumbnails on this page and its links to files are patient data: hand it only to those who may see them.</p>
)")
            : html(
                  R"(<p class="privacy">Thumbnails and links to files, which are patient data, were left out of this page.</p>
)");
  }
  return part += html("</section>\n");
}

}  // namespace fovea::report::page
