#include <cmath>
#include <nlohmann/json.hpp>

#include "fovea/report/page.h"
#include "fovea/report/report.h"
#include "report/metrics_json.h"

namespace fovea::report {
namespace {

using Json = nlohmann::ordered_json;
using metrics::Bounds;
using metrics::Estimate;

Json count_or_null(size_t n) { return n > 0 ? Json(n) : Json(nullptr); }

Json json_of(const Bounds& bounds) {
  Json json{{"method", bounds.method},
            {"low", finite(bounds.interval.low)},
            {"high", finite(bounds.interval.high)}};
  if (!bounds.interval.defined()) json["undefined"] = bounds.interval.why_undefined;
  return json;
}

Json json_of(const Estimate& one) {
  Json json{{"name", one.key.name},
            {"goal", words(one.key.goal)},
            {"value", finite(one.value.value)},
            {"n", one.cases},
            {"interval", json_of(one.bounds)}};
  if (!one.value.defined()) json["undefined"] = one.value.why_undefined;
  if (!one.value.note.empty()) json["note"] = one.value.note;
  for (const Bounds& bounds : one.also) json["also"].push_back(json_of(bounds));
  return json;
}

/// Those over all cases, or of one class.
Json estimates_of(const std::vector<Estimate>& estimates, const std::string& of_class) {
  Json list = Json::array();
  for (const Estimate& one : estimates)
    if (one.key.of_class == of_class) list.push_back(json_of(one));
  return list;
}

/// What this many cases can show of the main metric.
void put_power(Json& figure, const Estimate& main) {
  if (!main.bounds.interval.defined() || main.bounds.interval.half_width() <= 0) return;
  const double n = metrics::cases_for_half_width(
      kWantedHalfWidth, main.bounds.interval.half_width(), static_cast<double>(main.cases));
  figure["n_for_half_width"] = {{"half_width", kWantedHalfWidth},
                                {"n", static_cast<int64_t>(std::ceil(n))}};
}

Json json_of(const Table& table) {
  Json json{{"title", table.title}, {"columns", table.columns}, {"rows", Json::array()}};
  if (!table.note.empty()) json["note"] = table.note;
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (const auto& cell : row)
      cells.push_back(std::holds_alternative<double>(cell) ? finite(std::get<double>(cell))
                                                           : Json(std::get<std::string>(cell)));
    json["rows"].push_back(std::move(cells));
  }
  return json;
}

Json json_of(const metrics::SubgroupEstimates& subgroups) {
  Json json{{"column", subgroups.name}, {"groups", Json::array()}, {"gaps", Json::array()}};
  for (const metrics::GroupEstimates& group : subgroups.groups)
    json["groups"].push_back({{"value", group.value},
                              {"n", group.withheld ? Json(nullptr) : Json(group.cases)},
                              {"patients", group.withheld ? Json(nullptr) : Json(group.patients)},
                              {"small", group.small},
                              {"figures", estimates_of(group.estimates, "")}});
  for (const metrics::Gap& gap : subgroups.gaps)
    json["gaps"].push_back({{"metric", gap.key.name},
                            {"low_group", gap.low_group},
                            {"high_group", gap.high_group},
                            {"difference", gap.difference},
                            {"interval", json_of(gap.bounds)}});
  return json;
}

Json json_of(const Failure& failure) {
  Json json{{"id", failure.id},
            {"type", failure.type},
            {"truth", failure.truth},
            {"answer", failure.answer},
            {"margin", failure.margin}};
  if (!failure.of_class.empty()) json["class"] = failure.of_class;
  if (!failure.image.empty()) json["image"] = failure.image;
  if (!failure.link.empty()) json["link"] = failure.link;
  return json;
}

Json json_of(const Section& section) {
  const size_t failed = section.coverage.failed.size();
  Json json{{"name", section.target},
            {"type", section.type},
            {"folder", section.folder},
            {"line", section.line},
            {"cases", section.n + failed + section.coverage.unknown},
            {"n", section.n},
            {"unknown", section.coverage.unknown},
            {"failed", failed},
            {"patients", count_or_null(section.patients)},
            {"clustered", section.clustered}};
  for (const ClassCount& one : section.classes)
    json["classes"].push_back({{"name", one.name}, {"n", one.cases}, {"known", one.known}});
  if (!section.positive_class.empty()) json["positive_class"] = section.positive_class;
  if (!section.rule.empty()) {
    json["decision"] = {{"rule", section.rule}, {"points", Json::array()}};
    for (const auto& [of_class, point] : section.points)
      json["decision"]["points"].push_back(
          {{"class", of_class}, {"threshold", point.threshold}, {"chosen", point.chosen}});
  }
  json["figures"] = estimates_of(section.estimates, "");
  if (!section.estimates.empty()) put_power(json["figures"][0], section.estimates[0]);
  for (const Estimate& one : section.estimates) {
    const std::string& of_class = one.key.of_class;
    if (of_class.empty()) continue;
    Json& per_class = json["per_class"];
    if (per_class.empty() || per_class.back()["class"] != of_class)
      per_class.push_back({{"class", of_class}, {"figures", Json::array()}});
    per_class.back()["figures"].push_back(json_of(one));
  }
  for (const Table& table : section.tables) json["tables"].push_back(json_of(table));
  json["plots"] = Json::array();
  for (const PlotFile& plot : section.plots)
    json["plots"].push_back({{"file", plot.file}, {"title", plot.title}, {"alt", plot.alt}});
  if (section.confusion) {
    Json rows = Json::array();
    std::vector<std::string> names;
    for (const ClassCount& one : section.classes) names.push_back(one.name);
    for (size_t truth = 0; truth < section.confusion->classes(); ++truth) {
      Json row = Json::array();
      for (size_t decision = 0; decision < section.confusion->classes(); ++decision)
        row.push_back(section.confusion->at(truth, decision));
      rows.push_back(std::move(row));
    }
    json["confusion_matrix"] = {{"classes", names}, {"counts", std::move(rows)}};
  }
  if (section.thresholds) {
    Json steps = Json::array();
    for (const auto& [threshold, hits, alarms] : section.thresholds->steps)
      steps.push_back({threshold, static_cast<int64_t>(hits), static_cast<int64_t>(alarms)});
    json["thresholds"] = {{"class", section.thresholds->of_class},
                          {"positives", section.thresholds->positives},
                          {"negatives", section.thresholds->negatives},
                          {"steps", std::move(steps)}};
  }
  for (const metrics::SubgroupEstimates& one : section.subgroups)
    json["subgroups"].push_back(json_of(one));
  for (const Failure& failure : section.failures) json["failures"].push_back(json_of(failure));
  json["warnings"] = section.warnings;
  return json;
}

Json json_of(const Drift& drift) {
  Json json{{"input", drift.input},
            {"quantity", drift.quantity},
            {"training", drift.training},
            {"here", drift.here},
            {"psi", finite(drift.stability_index.value)},
            {"p", finite(drift.p.value)},
            {"test", drift.test}};
  const auto& why = drift.p.defined() ? drift.stability_index : drift.p;
  if (!why.defined()) json["undefined"] = why.why_undefined;
  return json;
}

}  // namespace

std::string report_json(const Report& report) {
  Json json{{"schema_version", kReportSchema},
            {"fovea", report.version},
            {"created", report.created},
            {"title", report.title},
            {"split", report.split},
            {"level", metrics::kLevel},
            {"replicates", report.bootstrap.replicates},
            {"seed", report.bootstrap.seed}};
  json["model"] = {{"name", report.model},
                   {"weights_sha256",
                    report.weights_sha256.empty() ? Json(nullptr) : Json(report.weights_sha256)},
                   {"facts", Json::array()}};
  for (const auto& [name, value] : report.model_facts)
    json["model"]["facts"].push_back({name, value});
  json["data"] = {{"name", report.data},
                  {"external", report.external},
                  {"fingerprint", report.data_fingerprint},
                  {"cases", report.cases},
                  {"patients", report.patients ? Json(*report.patients) : Json(nullptr)},
                  {"notes", report.notes}};
  json["targets"] = Json::array();
  for (const Section& section : report.sections) json["targets"].push_back(json_of(section));
  for (const Drift& drift : report.drift) json["drift"].push_back(json_of(drift));
  json["card"] = Json::array();
  for (const CardItem& item : report.card)
    json["card"].push_back({{"section", item.section},
                            {"item", item.item},
                            {"text", item.text ? Json(*item.text) : Json(nullptr)}});
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fovea::report
