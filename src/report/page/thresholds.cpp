// What other thresholds would decide: a table of some, and a slider over all where scripts run.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fovea/core/text.h"
#include "fovea/metrics/interval.h"
#include "report/page/numbers.h"
#include "report/page/parts.h"
#include "report/page/words.h"

namespace fovea::report::page {
namespace {

struct Step {
  double threshold;
  int64_t true_positives, false_positives;
};

struct Steps {
  std::vector<Step> all;  // thresholds falling
  int64_t positives, negatives;
  size_t frozen = 0;  // which of them is the model's
  bool has_frozen = false;
};

Steps read(const Node& thresholds) {
  Steps steps{.positives = thresholds.count("positives"),
              .negatives = thresholds.count("negatives")};
  for (const Node& step : thresholds.items("steps")) {
    const auto three = step.items();
    if (three.size() != 3) throw step.wrong("wanted three numbers");
    steps.all.push_back({three[0].number(), three[1].count(), three[2].count()});
    const Step& read = steps.all.back();
    const bool falls =
        steps.all.size() < 2 || read.threshold < steps.all[steps.all.size() - 2].threshold;
    if (!falls || read.true_positives < 0 || read.true_positives > steps.positives ||
        read.false_positives < 0 || read.false_positives > steps.negatives) {
      throw step.wrong(
          fmt::format("found ({}, {}, {}), wanted a lower threshold than before it and no more "
                      "cases than there "
                      "are",
                      number(read.threshold), read.true_positives, read.false_positives));
    }
  }
  return steps;
}

/// The counts of the confusion matrix, where it has the class.
bool counts_of_matrix(const Node& target, const std::string& positive, Step& step) {
  if (!target.has("confusion_matrix")) return false;
  const Node matrix = target.at("confusion_matrix");
  const auto classes = matrix.items("classes"), rows = matrix.items("counts");
  if (classes.size() != 2 || rows.size() != 2) return false;
  const auto first = rows[0].items(), second = rows[1].items();
  if (first.size() != 2 || second.size() != 2) return false;
  const size_t yes = classes[0].text() == positive ? 0 : 1;
  step.true_positives = (yes == 0 ? first : second)[yes].count();
  step.false_positives = (yes == 0 ? second : first)[yes].count();
  return classes[yes].text() == positive;
}

/// Puts the frozen threshold among the steps, if it is not one of them.
void mark_frozen(Steps& steps, const Node& target, const std::string& positive) {
  if (!target.has("decision")) return;
  const auto points = target.at("decision").items("points");
  if (points.size() != 1) return;
  const auto threshold = points[0].number("threshold");
  if (!threshold) return;
  const auto at = std::ranges::find_if(
      steps.all, [&](const Step& step) { return step.threshold <= *threshold; });
  steps.frozen = static_cast<size_t>(at - steps.all.begin());
  steps.has_frozen = true;
  if (at != steps.all.end() && at->threshold == *threshold) return;
  Step step{*threshold, 0, 0};
  if (!counts_of_matrix(target, positive, step) && at != steps.all.begin())
    step = {*threshold, (at - 1)->true_positives, (at - 1)->false_positives};
  steps.all.insert(at, step);
}

/// Where sensitivity first reaches, and specificity last holds, what readers ask for.
std::set<size_t> worth_showing(const Steps& steps) {
  std::set<size_t> rows;
  if (steps.has_frozen) rows.insert(steps.frozen);
  for (const double wanted : {0.8, 0.9, 0.95, 0.99}) {
    for (size_t i = 0; i < steps.all.size(); ++i) {
      if (static_cast<double>(steps.all[i].true_positives) <
          wanted * static_cast<double>(steps.positives))
        continue;
      rows.insert(i);
      break;
    }
    for (size_t i = steps.all.size(); i-- > 0;) {
      if (static_cast<double>(steps.negatives - steps.all[i].false_positives) <
          wanted * static_cast<double>(steps.negatives))
        continue;
      rows.insert(i);
      break;
    }
  }
  return rows;
}

Html share(int64_t part, int64_t whole, bool with_interval) {
  if (whole == 0) return html(R"(<td class="number"><span class="none">undefined</span></td>)");
  const auto a = static_cast<double>(part), b = static_cast<double>(whole);
  if (!with_interval) return html("<td class=\"number\">{}</td>", {digits(a / b).value});
  const metrics::Interval interval = metrics::wilson(a, b);
  const Digits shown = digits(a / b, interval.low, interval.high);
  return html("<td class=\"number\">{}<span class=\"under\">{} to {}</span></td>",
              {shown.value, shown.low, shown.high});
}

Html static_table(const Steps& steps, const std::string& positive, bool intervals,
                  const Setting& setting) {
  Html rows;
  for (const size_t i : worth_showing(steps)) {
    const Step& step = steps.all[i];
    const int64_t called = step.true_positives + step.false_positives;
    const int64_t n = steps.positives + steps.negatives;
    const int64_t negative_right = steps.negatives - step.false_positives;
    const bool frozen = steps.has_frozen && i == steps.frozen;
    rows += html(
        "<tr{}><th scope=\"row\" class=\"digits\">{}{}</th><td class=\"number\">{} of "
        "{}</td>{}{}{}{}</tr>\n",
        {frozen ? html(" class=\"frozen\"") : Html(), digits(step.threshold).value,
         frozen ? html(" <span class=\"tag\">frozen</span>") : Html(), count_text(called),
         count_text(n), share(step.true_positives, steps.positives, intervals),
         share(negative_right, steps.negatives, intervals),
         share(step.true_positives, called, intervals),
         share(negative_right, n - called, intervals)});
  }
  return scrolling(
      setting, "What some thresholds decide",
      html(
          R"(<table><thead><tr><th scope="col">Called <bdi>{}</bdi> at p ≥</th><th scope="col" class="number">Called so</th><th scope="col" class="number">Sensitivity</th><th scope="col" class="number">Specificity</th><th scope="col" class="number">PPV</th><th scope="col" class="number">NPV</th></tr></thead><tbody>
{}</tbody></table>)",
          {positive, rows}));
}

Html slider(const Steps& steps, const std::string& positive, bool intervals,
            const Setting& setting) {
  std::string list;
  for (const Step& step : steps.all) {
    list += fmt::format("{}[{},{},{}]", list.empty() ? "" : ",", number(step.threshold),
                        step.true_positives, step.false_positives);
  }
  const size_t last = steps.all.size() - 1;
  const size_t start = std::min(steps.frozen, last);
  const Html number_cell = html("<td class=\"number\" data-share></td>");
  return html(
      R"(<div class="slider" hidden data-steps="[{}]" data-positives="{}" data-negatives="{}" data-start="{}" data-intervals="{}">
<label for="{}-slider">Called <bdi>{}</bdi> at p ≥ <strong data-threshold></strong></label>
<input type="range" id="{}-slider" min="0" max="{}" step="1" value="{}">
<p class="row"><output for="{}-slider"></output><button type="button">{}</button></p>
<div class="pair">
<table><caption>Counts at this threshold</caption><thead><tr><td></td><th scope="col" class="number">Called <bdi>{}</bdi></th><th scope="col" class="number">Not called</th></tr></thead><tbody><tr><th scope="row">Is <bdi>{}</bdi></th><td class="number" data-count></td><td class="number" data-count></td></tr><tr><th scope="row">Is not</th><td class="number" data-count></td><td class="number" data-count></td></tr></tbody></table>
<table><caption>Proportions at this threshold</caption><tbody><tr><th scope="row">Sensitivity</th>{}</tr><tr><th scope="row">Specificity</th>{}</tr><tr><th scope="row">Positive predictive value</th>{}</tr><tr><th scope="row">Negative predictive value</th>{}</tr></tbody></table>
</div>
</div>
)",
      {list, steps.positives, steps.negatives, last - start, intervals ? "yes" : "no", setting.id,
       positive, setting.id, last, last - start, setting.id,
       steps.has_frozen ? "Back to the frozen threshold" : "Back", positive, positive, number_cell,
       number_cell, number_cell, number_cell});
}

}  // namespace

Html other_thresholds(const Node& target, const Setting& setting) {
  if (!target.has("thresholds")) return {};
  const Node thresholds = target.at("thresholds");
  const std::string positive = thresholds.text("class");
  Steps steps = read(thresholds);
  mark_frozen(steps, target, positive);
  if (steps.all.empty()) return {};
  const bool intervals = !target.flag("clustered");
  Html part = html(
      R"(<p class="caution">A threshold that is chosen here is chosen on the evaluated cases, so what it reaches here is no result. To use another one, choose it on other cases and evaluate again.</p>
)");
  part += slider(steps, positive, intervals, setting);
  part += static_table(steps, positive, intervals, setting);
  part += intervals ? html("<p class=\"small\">Under each proportion its {} (Wilson).</p>\n",
                           {interval_name(setting.level)})
                    : html(
                          "<p class=\"small\">Without intervals: patients have several cases, and "
                          "intervals of independent cases would be too narrow.</p>\n");
  return part;
}

}  // namespace fovea::report::page
