// The page of a comparison: compare.html.
#include "fovea/report/comparison.h"

#include <fmt/format.h>

#include "report/page/files.h"
#include "report/page/html.h"
#include "report/page/numbers.h"
#include "report/page/words.h"

namespace fovea::report {
namespace page {
namespace {

using metrics::Difference;

Html row(const Difference& one, double holm, bool several) {
  const Html name = html("<th scope=\"row\">{}</th>", {label_of(one.key.name)});
  if (!one.difference.defined())
    return html("<tr>{}<td colspan=\"{}\"><span class=\"none\">undefined: {}</span></td></tr>\n",
                {name, size_t{several ? 7U : 6U}, one.difference.why_undefined});
  const metrics::Interval& interval = one.bounds.interval;
  const Digits shown = interval.defined()
                           ? digits(one.difference.value, interval.low, interval.high)
                           : digits(one.difference.value);
  const Html range = interval.defined()
                         ? html("{} to {}", {shown.low, shown.high})
                         : html("<span class=\"none\">none: {}</span>", {interval.why_undefined});
  const auto p = [](bool defined, double value) {
    return defined ? html("{}", {p_value(value)}) : html("<span class=\"none\">undefined</span>");
  };
  Html cells = name;
  for (const std::string& text :
       {digits(one.b.value).value, digits(one.a.value).value, shown.value})
    cells += html("<td class=\"number\">{}</td>", {text});
  cells += html("<td class=\"number\">{}</td><td class=\"number\">{}</td>",
                {range, p(one.p.defined(), one.p.defined() ? one.p.value : 0)});
  if (several) cells += html("<td class=\"number\">{}</td>", {p(holm == holm, holm)});
  cells += html("<td>{}</td>", {one.test});
  return html("<tr>{}</tr>\n", {cells});
}

Html comparison_of(const ComparedTarget& target, size_t other, const Comparison& comparison) {
  const bool several = target.differences.size() > 1;
  const std::string& title = comparison.titles[other + 1];
  Html rows;
  for (size_t k = 0; k < target.differences[other].size(); ++k)
    rows += row(target.differences[other][k], target.holm[other][k], several);
  Html head;
  for (const char* column : {"First", "Other", "Difference", "95 % interval", "p"})
    head += html("<th scope=\"col\" class=\"number\">{}</th>", {column});
  if (several) head += html("<th scope=\"col\" class=\"number\">p (Holm)</th>");
  const std::string label = target.name + ": " + title + " less " + comparison.titles[0];
  return html("<h3><bdi>{}</bdi> less <bdi>{}</bdi></h3>\n{}",
              {title, comparison.titles[0],
               scrolling(label, html("<table>\n<thead><tr><th scope=\"col\">Metric</th>{}<th "
                                     "scope=\"col\">Test</th></tr></thead>\n<tbody>\n{}</tbody>\n"
                                     "</table>\n",
                                     {head, rows}))});
}

Html target_of(const ComparedTarget& target, const Comparison& comparison) {
  Html part = html("<p>{}", {counted(static_cast<int64_t>(target.cases), "case", "cases")});
  if (target.patients > 0)
    part +=
        html(" from {}", {counted(static_cast<int64_t>(target.patients), "patient", "patients")});
  part += target.clustered ? html(", who have several: intervals and tests are by patient.</p>\n")
                           : html(". Each case is taken for independent of the others.</p>\n");
  for (size_t k = 0; k < target.differences.size(); ++k)
    part += comparison_of(target, k, comparison);
  return html("<section class=\"target\">\n<h2><bdi>{}</bdi></h2>\n{}</section>\n",
              {target.name, part});
}

}  // namespace
}  // namespace page

std::string comparison_page(const Comparison& comparison, std::string_view version) {
  using page::html;
  using page::Html;
  Html names;
  for (size_t k = 0; k < comparison.titles.size(); ++k)
    names += html("<li><bdi>{}</bdi>{}</li>\n", {comparison.titles[k], k == 0 ? " (first)" : ""});
  Html targets;
  for (const ComparedTarget& target : comparison.targets)
    targets += page::target_of(target, comparison);
  return html(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="fovea {}">
<title>Comparison on {}</title>
<style>{}</style>
</head>
<body>
<header class="masthead"><p class="eyebrow">Comparison on {}</p>
<h1>Models on the same cases</h1>
<ol>
{}</ol>
</header>
<main id="content">
{}<section aria-labelledby="making"><h2 id="making">How the numbers were made</h2>
<p>Differences are of the other model less the first, on the same cases. Areas under the ROC curve: DeLong's test, or
Obuchowski's where patients have several cases. Accuracy of independent cases: McNemar's exact test. All others: a
bootstrap with {} samples of patients (seed {}), with two-sided p. With several models, p (Holm) is raised to what it is
worth among the comparisons of the same metric. A difference that is not significant is not shown to be none: its interval
says how large it could be.</p></section>
</main>
<footer><p>Written by fovea {}.</p></footer>
</body>
</html>
)",
              {version, comparison.split, Html::markup(std::string(page::kStyle)), comparison.split,
               names, targets, comparison.bootstrap.replicates,
               static_cast<int64_t>(comparison.bootstrap.seed), version})
      .text();
}

}  // namespace fovea::report
