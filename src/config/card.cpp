// model.json: the shapes of a model's inputs and the meaning of its outputs.
#include <nlohmann/json.hpp>

#include "fovea/config/experiment.h"
#include "fovea/config/version.h"
#include "fovea/storage/file.h"

namespace fovea::config {
namespace {

constexpr int kFormat = 1;
constexpr int64_t kMaxBytes = 16 << 20;

}  // namespace

void write_card(const std::filesystem::path& path, const ModelCard& card) {
  nlohmann::ordered_json json;
  json["format"] = kFormat;
  json["fovea"] = version();
  for (const auto& [name, shape] : card.inputs) json["inputs"][name] = shape.sizes;
  for (const TargetSpec& target : card.targets)
    json["targets"][target.name] = {{"classes", target.classes},
                                    {"multi_label", target.multi_label},
                                    {"training_counts", target.counts},
                                    {"training_known", target.known}};
  storage::write_file_atomically(path, json.dump(2) + "\n");
}

ModelCard read_card(const std::filesystem::path& path) {
  const std::string text = storage::read_file(path, kMaxBytes);
  try {
    const auto json = nlohmann::ordered_json::parse(text);
    const int format = json.at("format").get<int>();
    if (format != kFormat)
      throw data_error(path.string() + ": found format " + std::to_string(format) +
                       ", this fovea knows " + std::to_string(kFormat) +
                       ": use the fovea that wrote it, or a newer one");
    ModelCard card;
    for (const auto& [name, sizes] : json.at("inputs").items())
      card.inputs.emplace_back(name, InputShape{sizes.get<std::vector<int64_t>>()});
    for (const auto& [name, target] : json.at("targets").items())
      card.targets.push_back({name, target.at("classes").get<std::vector<std::string>>(),
                              target.at("multi_label").get<bool>(),
                              target.at("training_counts").get<std::vector<int64_t>>(),
                              target.at("training_known").get<std::vector<int64_t>>()});
    return card;
  } catch (const nlohmann::json::exception& error) {
    throw data_error(path.string() + ": " + error.what() +
                     "; wanted what `fovea train` wrote there");
  }
}

ModelCard make_card(const RunConfig& config, const sources::Source& source) {
  const DatasetPtr training = source.part("train");
  Random unused(0, Purpose::augment);
  const Example example = make_pipeline(config, config.transforms.eval)(training->get(0), unused);
  ModelCard card{{}, source.targets};
  for (const auto& [name, encoder] : config.model.encoders)
    card.inputs.emplace_back(name, InputShape{example.inputs.at(name).sizes().vec()});
  return card;
}

}  // namespace fovea::config
