#include "report/figures_json.h"

#include <fmt/format.h>

namespace fovea::report {

void put_figures(nlohmann::ordered_json& json, const std::vector<metrics::NamedFigure>& figures) {
  using Json = nlohmann::ordered_json;
  Json values = Json::object(), undefined = Json::object(), notes = Json::object();
  for (const auto& [name, figure] : figures) {
    values[name] = figure.defined() ? Json(figure.value) : Json(nullptr);
    if (!figure.defined()) undefined[name] = figure.why_undefined;
    if (!figure.note.empty()) notes[name] = figure.note;
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

std::string figures_line(const std::vector<metrics::NamedFigure>& figures) {
  std::string line;
  for (const auto& [name, figure] : figures)
    line += figure.defined() ? fmt::format(" {}={:.4f}", name, figure.value)
                             : fmt::format(" {}=undefined", name);
  return line;
}

}  // namespace fovea::report
