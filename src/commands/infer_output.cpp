#include "commands/infer_output.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"

namespace fovea::commands {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> with_case(const std::vector<std::string>& columns) {
  std::vector<std::string> all{"id", "path"};
  all.insert(all.end(), columns.begin(), columns.end());
  return all;
}

void put(Json& json, const Answer& answer) {
  if (answer.number) {
    json["predicted"] = *answer.number;
    return;
  }
  if (answer.entities) {
    json["entities"] = Json::array();
    for (const FoundEntity& one : *answer.entities)
      json["entities"].push_back(
          {{"label", one.label}, {"text", one.text}, {"begin", one.begin}, {"end", one.end}});
    for (const auto& [field, texts] : answer.report) json["report"][field] = texts;
    return;
  }
  for (const auto& [name, probability] : answer.probabilities)
    json["probabilities"][name] = probability;
  json["decision"] = answer.decision;
}

/// One target stands in the line itself, several each under its name.
std::string json_line(const Prediction& prediction) {
  Json json{{"id", prediction.id}, {"path", prediction.path.string()}};
  for (const Answer& answer : prediction.answers)
    put(prediction.answers.size() == 1 ? json : json[answer.target], answer);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

InferOutput::InferOutput(std::string out, const std::vector<std::string>& columns)
    : out_(std::move(out)), table_(with_case(columns)) {
  if (out_ != "-" && !out_.ends_with(".csv") && !out_.ends_with(".jsonl"))
    throw config_error("--out: found '" + out_ +
                       "', wanted a name that ends in .csv or .jsonl, or -");
}

void InferOutput::add(const Prediction& prediction) {
  if (out_.ends_with(".jsonl")) {
    lines_ += json_line(prediction);
    return;
  }
  const bool rows_of_entities =
      prediction.answers.size() == 1 && prediction.answers[0].entities.has_value();
  if (rows_of_entities) {
    for (const FoundEntity& one : *prediction.answers[0].entities) {
      table_.text(prediction.id).text(prediction.path.string());
      table_.text(one.label).text(one.text).number(one.begin).number(one.end).end_row();
    }
    if (out_ == "-") std::cout << table_.take() << std::flush;
    return;
  }
  table_.text(prediction.id).text(prediction.path.string());
  for (const Answer& answer : prediction.answers) {
    for (const auto& [name, probability] : answer.probabilities) table_.number(probability);
    answer.number ? table_.number(*answer.number) : table_.text(answer.decision);
  }
  table_.end_row();
  if (out_ == "-") std::cout << table_.take() << std::flush;
}

void InferOutput::finish() {
  if (out_ != "-")
    storage::write_file_atomically(out_, out_.ends_with(".jsonl") ? lines_ : table_.content());
}

}  // namespace fovea::commands
