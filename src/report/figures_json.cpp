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

std::string figures_line(const std::vector<metrics::NamedFigure>& figures) {
  std::string line;
  for (const auto& [name, figure] : figures)
    line += figure.defined() ? fmt::format(" {}={:.4f}", name, figure.value)
                             : fmt::format(" {}=undefined", name);
  return line;
}

}  // namespace fovea::report
