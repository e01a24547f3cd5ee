#include "commands/infer_output.h"

#include <cerrno>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "commands/stopping.h"
#include "fovea/commands/commands.h"
#include "fovea/core/error.h"
#include "fovea/storage/case_names.h"
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
  Json json{{"id", prediction.id}, {"path", storage::without_paths(prediction.path.string())}};
  for (const Answer& answer : prediction.answers)
    put(prediction.answers.size() == 1 ? json : json[answer.target], answer);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

InferOutput::InferOutput(std::string out, const std::vector<std::filesystem::path>& inputs)
    : out_(std::move(out)) {
  if (out_ == "-") return;
  if (!out_.ends_with(".csv") && !out_.ends_with(".jsonl"))
    throw config_error("--out: found '" + out_ +
                       "', wanted a name that ends in .csv or .jsonl, or -");
  for (const std::filesystem::path& input : inputs) {
    std::error_code different;
    if (std::filesystem::equivalent(input, out_, different))
      throw config_error("--out: " + storage::shown(out_) +
                             " is one of the inputs, which the answers would replace",
                         "name another file");
  }
  within("--out", [&] { file_.emplace(out_); });
}

void InferOutput::begin(const std::vector<std::string>& columns) {
  if (out_.ends_with(".jsonl")) return;
  table_.emplace(with_case(columns));  // whose names are written with the first answer
}

void InferOutput::add(const Prediction& prediction) {
  ++answers_;
  if (!table_) return put(json_line(prediction));
  storage::CsvWriter& table = *table_;
  const std::string path = storage::without_paths(prediction.path.string());
  const bool rows_of_entities =
      prediction.answers.size() == 1 && prediction.answers[0].entities.has_value();
  if (rows_of_entities) {
    for (const FoundEntity& one : *prediction.answers[0].entities) {
      table.text(prediction.id).text(path);
      table.text(one.label).text(one.text).number(one.begin).number(one.end).end_row();
    }
    return put(table.take());
  }
  table.text(prediction.id).text(path);
  for (const Answer& answer : prediction.answers) {
    for (const auto& [name, probability] : answer.probabilities) table.number(probability);
    answer.number ? table.number(*answer.number) : table.text(answer.decision);
  }
  table.end_row();
  put(table.take());
}

void InferOutput::finish() {
  if (table_ && answers_ == 0) put(table_->take());
  if (file_) file_->finish();
}

std::string InferOutput::where_they_are() const {
  return file_ ? "; their answers are in " + storage::shown(file_->part()) : "";
}

void InferOutput::put(std::string_view text) {
  if (file_) return file_->append(text);
  if (std::cout << text << std::flush) return;
  const int code = errno;
  if (nobody_reads()) throw Stopped{.nobody_reads = true};
  throw io_error("cannot write standard output: " + std::generic_category().message(code),
                 "name a file with --out");
}

}  // namespace fovea::commands
