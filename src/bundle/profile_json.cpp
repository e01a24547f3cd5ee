#include "bundle/profile_json.h"

#include <cmath>

#include "fovea/core/error.h"

namespace fovea::bundle {
namespace {

using Json = nlohmann::ordered_json;
using metrics::CategoryProfile;
using metrics::Cells;
using metrics::NumberProfile;

Json json_of(const Cells& cells) {
  Json json{{"counts", cells.counts}, {"patients", cells.patients}};
  if (!cells.single()) json["pairs"] = cells.pairs;
  return json;
}

Cells cells_from(const Json& json, size_t count) {
  Cells cells;
  cells.counts = json.at("counts").get<std::vector<int64_t>>();
  cells.patients = json.at("patients").get<int64_t>();
  if (json.contains("pairs")) cells.pairs = json.at("pairs").get<std::vector<int64_t>>();
  if (cells.counts.size() != count)
    throw data_error(std::string("the profile of the training cases: found ") +
                     std::to_string(cells.counts.size()) + " counts, wanted " +
                     std::to_string(count));
  cells.check();
  return cells;
}

std::vector<double> rising(const Json& json) {
  auto numbers = json.get<std::vector<double>>();
  for (size_t i = 0; i < numbers.size(); ++i)
    if (!std::isfinite(numbers[i]) || (i > 0 && numbers[i] < numbers[i - 1]))
      throw data_error("the profile of the training cases: found numbers that do not rise");
  return numbers;
}

}  // namespace

Json json_of(const std::vector<QuantityProfile>& profile) {
  Json all = Json::array();
  for (const QuantityProfile& one : profile) {
    Json json{{"of", one.of}, {"name", one.name}};
    if (const auto* numbers = std::get_if<NumberProfile>(&one.values)) {
      json["quantiles"] = numbers->quantiles;
      json["edges"] = numbers->edges;
      json["bins"] = json_of(numbers->bins);
      json["missing"] = json_of(numbers->missing);
    } else {
      const auto& categories = std::get<CategoryProfile>(one.values);
      json["names"] = categories.names;
      json["apart"] = categories.apart;
      json["cells"] = json_of(categories.cells);
      json["missing"] = json_of(categories.missing);
    }
    all.push_back(std::move(json));
  }
  return all;
}

std::vector<QuantityProfile> profile_from(const Json& json) {
  std::vector<QuantityProfile> all;
  for (const Json& one : json) {
    QuantityProfile profile{one.at("of").get<std::string>(), one.at("name").get<std::string>(), {}};
    if (one.contains("quantiles")) {
      NumberProfile numbers;
      numbers.quantiles = rising(one.at("quantiles"));
      numbers.edges = rising(one.at("edges"));
      numbers.bins = cells_from(one.at("bins"), numbers.edges.size() + 1);
      numbers.missing = cells_from(one.at("missing"), 2);
      profile.values = std::move(numbers);
    } else {
      CategoryProfile categories;
      categories.names = one.at("names").get<std::vector<std::string>>();
      categories.apart = one.at("apart").get<size_t>();
      categories.cells = cells_from(one.at("cells"), categories.names.size() + 1);
      categories.missing = cells_from(one.at("missing"), 2);
      profile.values = std::move(categories);
    }
    all.push_back(std::move(profile));
  }
  return all;
}

}  // namespace fovea::bundle
