#include "report/metrics_json.h"

#include <fmt/format.h>

#include "fovea/report/evaluation.h"
#include "fovea/storage/file.h"

namespace fovea::report {

void put_metrics(nlohmann::ordered_json& json, const std::vector<metrics::NamedMetric>& metrics) {
  using Json = nlohmann::ordered_json;
  Json values = Json::object(), undefined = Json::object(), notes = Json::object();
  for (const auto& [name, metric] : metrics) {
    values[name] = metric.defined() ? Json(metric.value) : Json(nullptr);
    if (!metric.defined()) undefined[name] = metric.why_undefined;
    if (!metric.note.empty()) notes[name] = metric.note;
  }
  json["figures"] = std::move(values);
  if (!undefined.empty()) json["undefined"] = std::move(undefined);
  if (!notes.empty()) json["notes"] = std::move(notes);
}

void put_coverage(nlohmann::ordered_json& json, size_t evaluated,
                  const metrics::Coverage& coverage) {
  const size_t known = evaluated + coverage.failed.size();
  json["cases"] = known + coverage.unknown;
  json["known"] = known;
  json["unknown"] = coverage.unknown;
  json["failed"] = coverage.failed.size();
  if (!coverage.failed.empty()) json["failed_ids"] = coverage.failed;
  json["n"] = evaluated;
}

std::string coverage_line(std::string_view split, size_t evaluated,
                          const metrics::Coverage& coverage) {
  std::string line = fmt::format("split={} n={}", split, evaluated);
  if (coverage.unknown > 0) line += fmt::format(" unknown={}", coverage.unknown);
  if (!coverage.failed.empty()) line += fmt::format(" failed={}", coverage.failed.size());
  return line;
}

std::string metrics_line(const std::vector<metrics::NamedMetric>& metrics) {
  std::string line;
  for (const auto& [name, metric] : metrics)
    line += metric.defined() ? fmt::format(" {}={:.4f}", name, metric.value)
                             : fmt::format(" {}=undefined", name);
  return line;
}

void add_subgroups(const std::filesystem::path& metrics_json,
                   const std::vector<metrics::SubgroupEstimates>& subgroups) {
  using Json = nlohmann::ordered_json;
  if (subgroups.empty()) return;
  Json json = Json::parse(storage::read_file(metrics_json));
  for (const metrics::SubgroupEstimates& column : subgroups)
    for (const metrics::GroupEstimates& group : column.groups) {
      Json one{{"value", group.value}, {"n", group.withheld ? Json(nullptr) : Json(group.cases)}};
      if (group.small) one["small"] = true;
      std::vector<metrics::NamedMetric> values;
      for (const metrics::Estimate& estimate : group.estimates)
        values.push_back({estimate.key.name, estimate.value});
      put_metrics(one, values);
      json["subgroups"][column.name].push_back(std::move(one));
    }
  storage::write_file_atomically(metrics_json,
                                 json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace fovea::report
