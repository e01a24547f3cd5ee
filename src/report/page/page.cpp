#include "fovea/report/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "report/page/files.h"
#include "report/page/numbers.h"
#include "report/page/parts.h"
#include "report/page/words.h"

namespace fovea::report {
namespace page {
namespace {

constexpr size_t kMostPlotBytes = 3'000'000;
constexpr int64_t kMostThumbnails = 40;

/// Of the script, as a policy names it.
std::string fingerprint(std::string_view script) {
  const std::string hex = storage::sha256(script);
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return "sha256-" + base64(bytes);
}

Html head(const Node& report) {
  Html style = Html::markup(std::string(kStyle));
  // Nothing is fetched, and no script runs but the page's own.
  return html(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="fovea {}">
<title>{}: evaluation on {}</title>
<style>{}</style>
</head>
)",
              {fingerprint(kScript), report.text("fovea"), report.text("title"),
               report.text("split"), style});
}

Html cases_of(const Node& target) {
  const int64_t cases = target.count("cases"), n = target.count("n");
  Html words =
      html("The metrics are over {} of {}", {counted(n, "case", "cases"), count_text(cases)});
  const auto patients = target.maybe_count("patients");
  if (patients) words += html(" from {}", {counted(*patients, "patient", "patients")});
  words += html(".");
  const int64_t unknown = target.count("unknown"), failed = target.count("failed");
  if (unknown > 0)
    words +=
        html(" {} no known value of the target.", {counted(unknown, "case has", "cases have")});
  if (failed > 0)
    words += html(" Of {} the model gave no finite output.", {counted(failed, "case", "cases")});
  if (target.flag("clustered"))
    words += html(" Patients have several cases, so all intervals are by patient.");
  return html("<p>{}</p>\n", {words});
}

/// All of a target but the gallery, which takes what room is left.
Target target_of(const Node& report, const Node& target, Setting& setting, bool alone) {
  Target part;
  part.content += html("<p class=\"eyebrow\">{}</p>\n", {words_of_type(target.text("type"))});
  part.content += cases_of(target);
  const auto warnings = static_cast<int64_t>(target.items("warnings").size());
  if (!alone && warnings > 0) {
    part.content += html(
        "<p class=\"caution\">Read the <a href=\"#warnings\">{}</a> in the summary first.</p>\n",
        {warnings == 1 ? "warning about it"
                       : fmt::format("{} warnings about it", count_text(warnings))});
  }
  const auto figures = target.items("figures");
  part.add(setting, "metrics", "Metrics", figures_table(figures, setting));
  part.add(setting, "point",
           target.has("decision") && target.at("decision").items("points").size() > 1
               ? "Operating points"
               : "Operating point",
           operating_points(report, target, setting));
  part.add(setting, "thresholds", "Other thresholds", other_thresholds(target, setting));
  part.add(setting, "confusion", "Confusion matrix", confusion(target, setting));
  part.add(setting, "plots", "Plots", plots(target, setting));
  part.add(setting, "classes", "Classes", per_class(target, setting));
  size_t index = 0;
  for (const Node& one : target.items("tables"))
    part.add(setting, fmt::format("table{}", ++index), one.text("title"), table(one, setting));
  part.add(setting, "subgroups", "Subgroups", subgroups(target, setting));
  return part;
}

Html contents(const Node& report, const std::vector<Target>& targets, bool has_drift,
              bool has_card) {
  Html list = html("<li><a href=\"#summary\">Summary</a></li>\n");
  const auto nodes = report.items("targets");
  for (size_t i = 0; i < targets.size(); ++i) {
    Html chapters;
    for (const Chapter& chapter : targets[i].chapters)
      chapters += html("<li><a href=\"#{}\">{}</a></li>", {chapter.id, chapter.title});
    list += html("<li class=\"target\"><a href=\"#t{}\"><bdi>{}</bdi></a><ul>{}</ul></li>\n",
                 {i + 1, nodes[i].text("name"), chapters});
  }
  if (has_drift) list += html("<li><a href=\"#drift\">Drift</a></li>\n");
  list += html("<li><a href=\"#data\">Data</a></li>\n");
  if (has_card) list += html("<li><a href=\"#card\">Model card</a></li>\n");
  list += html("<li><a href=\"#making\">How the numbers were made</a></li>\n");
  return html("<nav aria-label=\"Contents\"><ul>\n{}</ul></nav>\n", {list});
}

std::string drawn(const Node& report, const std::filesystem::path& folder,
                  const PageOptions& options) {
  Setting setting{.folder = folder,
                  .images = options.images,
                  .level = report.number("level").value_or(0.95),
                  .plot_bytes = kMostPlotBytes};
  const auto nodes = report.items("targets");
  std::vector<Target> targets;
  size_t bytes = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    setting.id = fmt::format("t{}", i + 1);
    setting.name = nodes[i].text("name");
    targets.push_back(target_of(report, nodes[i], setting, nodes.size() == 1));
    bytes += targets.back().content.size();
  }
  const Html moved = drift(report), checklist = card(report);
  Html above = head(report), ending = moved;
  above += html("<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n");
  above += masthead(report);
  const Html top = summary(report, options.images);
  ending += data_part(report);
  ending += checklist;
  ending += making(report);
  bytes += above.size() + top.size() + ending.size() + kScript.size() + 20'000;
  setting.image_bytes = kLargestPage - std::min(bytes, kLargestPage);
  setting.images_left = kMostThumbnails;
  auto galleries = static_cast<int64_t>(std::ranges::count_if(
      nodes, [](const Node& target) { return !target.items("failures").empty(); }));

  Html body;
  for (size_t i = 0; i < nodes.size(); ++i) {
    setting.id = fmt::format("t{}", i + 1);
    Setting own = setting;
    if (!nodes[i].items("failures").empty()) {  // an equal part of what is left
      own.images_left = setting.images_left / galleries;
      own.image_bytes = setting.image_bytes / static_cast<size_t>(galleries--);
      const Setting given = own;
      targets[i].add(setting, "failures", "Failures", failures(nodes[i], own));
      setting.images_left -= given.images_left - own.images_left;
      setting.image_bytes -= given.image_bytes - own.image_bytes;
    }
    body += html("<section id=\"{}\" class=\"target\">\n<h2><bdi>{}</bdi></h2>\n{}</section>\n",
                 {setting.id, nodes[i].text("name"), targets[i].content});
  }
  above += contents(report, targets, !moved.empty(), !checklist.empty());
  above += html("<main id=\"content\" tabindex=\"-1\">\n");
  above += top;
  above += body;
  above += ending;
  above += html(
      "</main>\n<footer><p>Written by fovea {} on "
      "{}.</p></footer>\n<script>{}</script>\n</body>\n</html>\n",
      {report.text("fovea"), date_of(report.text("created")), Html::markup(std::string(kScript))});
  return above.text();
}

}  // namespace

void Target::add(const Setting& setting, std::string_view id, std::string_view title,
                 const Html& part) {
  if (part.empty()) return;
  const std::string whole = fmt::format("{}-{}", setting.id, id);
  content += html("<section id=\"{}\">\n<h3>{}</h3>\n{}</section>\n", {whole, title, part});
  chapters.push_back({whole, std::string(title)});
}

}  // namespace page

std::string report_page(std::string_view report_json, const std::filesystem::path& folder,
                        const PageOptions& options) {
  return within(storage::shown(folder / "report.json"), [&] {
    const page::Json json = page::parsed(report_json);
    return page::drawn(page::Node(json), folder, options);
  });
}

std::filesystem::path write_report_page(const std::filesystem::path& folder,
                                        const PageOptions& options) {
  const std::string html = report_page(storage::read_file(folder / "report.json"), folder, options);
  const auto path = folder / "report.html";
  storage::write_file_atomically(path, html);
  return path;
}

}  // namespace fovea::report
