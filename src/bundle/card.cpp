// model.json: the shapes of a model's inputs and the meaning of its outputs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "bundle/profile_json.h"

#include "fovea/bundle/card.h"
#include "fovea/config/version.h"
#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "fovea/storage/text.h"

namespace fovea::bundle {
namespace {

constexpr int kOldest = 3, kNewest = 4;
constexpr int64_t kMaxBytes = 256 << 20;

using Json = nlohmann::ordered_json;

Json json_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return nullptr;
    case Node::Kind::scalar:
      // A bare text is a number, true or false, or a word.
      if (Json value = Json::parse(node.text, nullptr, false);
          !node.quoted && (value.is_number() || value.is_boolean()))
        return value;
      return node.text;
    case Node::Kind::list: {
      Json list = Json::array();
      for (const Node& item : node.items) list.push_back(json_of(item));
      return list;
    }
    case Node::Kind::map: {
      Json map = Json::object();
      for (const Entry& entry : node.entries) map[entry.key] = json_of(entry.value);
      return map;
    }
  }
  return nullptr;
}

Node node_of(const Json& json) {
  Node node;
  if (json.is_object()) {
    node.kind = Node::Kind::map;
    for (const auto& [key, value] : json.items()) node.at(key) = node_of(value);
  } else if (json.is_array()) {
    node.kind = Node::Kind::list;
    for (const Json& item : json) node.items.push_back(node_of(item));
  } else if (!json.is_null()) {
    node =
        json.is_string() ? Node::scalar(json.get<std::string>(), true) : Node::scalar(json.dump());
  }
  return node;
}

Json json_of(const std::vector<metrics::OperatingPoint>& points) {
  Json list = Json::array();
  for (const auto& [threshold, chosen] : points)
    list.push_back({{"threshold", threshold}, {"chosen", chosen}});
  return list;
}

std::vector<metrics::OperatingPoint> points_of(const Json& list, size_t wanted) {
  std::vector<metrics::OperatingPoint> points;
  for (const Json& one : list)
    points.push_back({one.at("threshold").get<double>(), one.at("chosen").get<std::string>()});
  if (points.size() != wanted)
    throw data_error(fmt::format("found {} operating points, wanted {}", points.size(), wanted),
                     "take another copy of the folder");
  return points;
}

}  // namespace

void write_card(const std::filesystem::path& path, const ModelCard& card) {
  nlohmann::ordered_json json;
  json["format"] = kNewest;
  json["fovea"] = config::version();
  for (const auto& [name, shape] : card.inputs) {
    json["inputs"][name] = {{"sizes", shape.sizes},
                            {"vocabulary", shape.vocabulary},
                            {"categories", shape.categories},
                            {"columns", shape.columns},
                            {"optional", shape.optional}};
    if (const Node* fitted = card.fitted.find(name); fitted)
      json["inputs"][name]["learned"] = json_of(*fitted);
  }
  for (const TargetSpec& target : card.targets) {
    json["targets"][target.name] = {{"classes", target.classes},
                                    {"kind", target.type},
                                    {"training_counts", target.counts},
                                    {"training_known", target.known},
                                    {"mean", target.mean},
                                    {"deviation", target.deviation},
                                    {"input", target.input},
                                    {"layout", name_of(target.layout)}};
    if (target.points.empty()) continue;
    json["targets"][target.name]["operating_points"] = json_of(target.points);
    for (const auto& [rule, points] : target.more_points)
      json["targets"][target.name]["more_operating_points"][rule] = json_of(points);
  }
  if (!card.profile.empty()) json["training_profile"] = json_of(card.profile);
  storage::write_file_atomically(path, json.dump(2) + "\n");
}

ModelCard read_card(const std::filesystem::path& path) {
  const std::string text = storage::read_file(path, kMaxBytes);
  if (storage::json_too_deep(text))
    throw data_error(
        fmt::format("{}: nested deeper than {} levels; wanted what training wrote there",
                    path.string(), storage::kDeepestJson),
        "take another copy of the folder");
  try {
    const auto json = nlohmann::ordered_json::parse(text);
    const int format = json.at("format").get<int>();
    if (format < kOldest || format > kNewest)
      throw data_error(fmt::format("{}: found format {}, this fovea knows {} to {}", path.string(),
                                   format, kOldest, kNewest),
                       "use the fovea that wrote it, or a newer one");
    ModelCard card;
    card.format = format;
    for (const auto& [name, input] : json.at("inputs").items()) {
      card.inputs.emplace_back(name, InputShape{input.at("sizes").get<std::vector<int64_t>>(),
                                                input.at("vocabulary").get<int64_t>(),
                                                input.at("categories").get<std::vector<int64_t>>(),
                                                input.at("columns").get<std::vector<std::string>>(),
                                                input.at("optional").get<bool>()});
      if (input.contains("learned"))
        card.fitted.entries.emplace_back(name, node_of(input.at("learned")));
    }
    for (const auto& [name, target] : json.at("targets").items()) {
      TargetSpec& spec = card.targets.emplace_back();
      spec.name = name;
      spec.classes = target.at("classes").get<std::vector<std::string>>();
      spec.type = target.at("kind").get<std::string>();
      spec.counts = target.at("training_counts").get<std::vector<int64_t>>();
      spec.known = target.at("training_known").get<std::vector<int64_t>>();
      spec.mean = target.at("mean").get<double>();
      spec.deviation = target.at("deviation").get<double>();
      spec.input = target.at("input").get<std::string>();
      spec.layout = target.contains("layout") ? layout_named(target.at("layout").get<std::string>())
                    : spec.type == "tags"     ? Layout::tokens  // written before there was the key
                                              : Layout::none;
      if (!target.contains("operating_points")) continue;
      const size_t wanted = spec.multi_label() ? spec.classes.size() : 1;
      spec.points = points_of(target.at("operating_points"), wanted);
      for (const auto& [rule, points] : target.at("more_operating_points").items())
        spec.more_points.emplace_back(rule, points_of(points, wanted));
    }
    if (json.contains("training_profile")) card.profile = profile_from(json.at("training_profile"));
    return card;
  } catch (const nlohmann::json::exception& error) {
    throw data_error(path.string() + ": " + error.what() + "; wanted what training wrote there",
                     "take another copy of the folder");
  }
}

}  // namespace fovea::bundle
