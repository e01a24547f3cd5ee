#include "fovea/report/entities.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fovea/report/evaluation.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "report/metrics_json.h"

namespace fovea::report {
namespace {

using Json = nlohmann::ordered_json;

Json counts_json(const metrics::EntityCounts& counts) {
  return {{"truth", counts.truth}, {"found", counts.found}, {"right", counts.right}};
}

Json list_of(const std::vector<metrics::Entity>& entities, const std::vector<std::string>& types) {
  Json list = Json::array();
  for (const metrics::Entity& one : entities)
    list.push_back({one.begin, one.end, types.at(one.type)});
  return list;
}

}  // namespace

std::string write_entities(const std::filesystem::path& folder,
                           const std::vector<metrics::TaggedText>& texts,
                           const std::vector<std::string>& ids,
                           const std::vector<std::string>& groups,
                           const std::vector<std::string>& types, const std::string& split,
                           const metrics::Coverage& coverage) {
  const std::vector<metrics::NamedMetric> metrics = metrics::entity_metrics(texts);
  Json json{{"schema_version", kMetricsSchema}, {"split", split}, {"mode", "tagging"}};
  put_coverage(json, texts.size(), coverage);
  json["types"] = types;
  put_metrics(json, metrics);
  json["entities"] = counts_json(metrics::count_entities(texts));
  // Of the true ones those that the model could not have found; they count as missed.
  int64_t cut = 0, unalignable = 0;
  for (const metrics::TaggedText& text : texts) {
    cut += text.cut;
    unalignable += text.unalignable;
  }
  json["entities"]["cut"] = cut;
  json["entities"]["unalignable"] = unalignable;
  json["per_type"] = Json::array();
  for (size_t k = 0; k < types.size(); ++k) {
    const metrics::EntityCounts counts = metrics::count_entities(texts, k);
    Json of_type{{"type", types[k]}};
    put_metrics(of_type, {{"f1", metrics::entity_f1(counts)},
                          {"precision", metrics::entity_precision(counts)},
                          {"recall", metrics::entity_recall(counts)}});
    of_type["entities"] = counts_json(counts);
    json["per_type"].push_back(std::move(of_type));
  }
  std::string lines;
  for (size_t i = 0; i < texts.size(); ++i) {
    Json line{{"id", ids.at(i)}};
    if (!groups.at(i).empty()) line["group"] = storage::pseudonym(groups[i]);
    line["truth"] = list_of(texts[i].truth, types);
    line["found"] = list_of(texts[i].found, types);
    line["tokens"] = texts[i].tokens;
    line["right_tokens"] = texts[i].right_tokens;
    lines += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  storage::make_folder(folder);
  storage::write_file_atomically(folder / "metrics.json",
                                 json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  storage::write_file_atomically(folder / "entities.jsonl", lines);
  return coverage_line(split, texts.size(), coverage) + metrics_line(metrics);
}

}  // namespace fovea::report
