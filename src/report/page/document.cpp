#include "report/page/document.h"

#include <fmt/format.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/report/page.h"
#include "fovea/storage/text.h"
#include "report/page/html.h"

namespace fovea::report::page {
namespace {

constexpr const char* kRemedy = "evaluate again to write it anew";

std::string kind_of(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::string:
      return "a text";
    case Json::value_t::boolean:
      return "true or false";
    default:
      return "the number " + json.dump();
  }
}

}  // namespace

Json parsed(std::string_view report_json) {
  if (storage::json_too_deep(report_json))
    throw data_error("its lists and objects are nested too deeply for a report", kRemedy);
  // The parser takes valid UTF-8 only.
  Json json = Json::parse(repaired(report_json), nullptr, false);
  if (json.is_discarded()) {
    throw data_error(fmt::format("{} bytes that are no JSON document, or only the beginning of one",
                                 report_json.size()),
                     kRemedy);
  }
  const Node root(json);
  const int64_t version = root.count("schema_version");
  if (version > kReportSchema) {
    throw data_error(fmt::format("schema_version is {}, and this version of fovea reads {}",
                                 version, kReportSchema),
                     "draw the page with the version that wrote it, or evaluate again");
  }
  if (version < 1) {
    throw data_error(fmt::format("schema_version is {}, wanted {}", version, kReportSchema),
                     kRemedy);
  }
  return json;
}

void Node::refuse(std::string_view wanted) const {
  throw wrong(fmt::format("found {}, wanted {}", kind_of(*json_), wanted));
}

Error Node::wrong(std::string problem) const {
  Error error = data_error(std::move(problem), kRemedy);
  error.add_place(place_.empty() ? "/" : storage::escaped(place_, 200));
  return error;
}

bool Node::has(std::string_view key) const {
  if (!json_->is_object()) refuse("an object");
  const auto found = json_->find(key);
  return found != json_->end() && !found->is_null();
}

Node Node::at(std::string_view key) const {
  if (!json_->is_object()) refuse("an object");
  const auto found = json_->find(key);
  if (found == json_->end()) throw wrong(fmt::format("'{}' is missing", key));
  return Node(*found, fmt::format("{}/{}", place_, key));
}

std::vector<Node> Node::items() const {
  if (!json_->is_array()) refuse("a list");
  std::vector<Node> all;
  all.reserve(json_->size());
  for (size_t i = 0; i < json_->size(); ++i)
    all.emplace_back((*json_)[i], fmt::format("{}/{}", place_, i));
  return all;
}

std::vector<Node> Node::items(std::string_view key) const {
  if (!has(key)) return {};
  return at(key).items();
}

std::string Node::text() const {
  if (!json_->is_string()) refuse("a text");
  return json_->get<std::string>();
}

double Node::number() const {
  if (!json_->is_number()) refuse("a number");
  return json_->get<double>();
}

int64_t Node::count() const {
  const double value = json_->is_number() ? json_->get<double>() : NAN;
  if (!(std::abs(value) < 9e15) || value != std::floor(value)) refuse("a whole number");
  return static_cast<int64_t>(value);
}

std::string Node::text_or(std::string_view key, std::string_view otherwise) const {
  return has(key) ? text(key) : std::string(otherwise);
}

bool Node::flag(std::string_view key) const {
  const Node node = at(key);
  if (!node.json_->is_boolean()) node.refuse("true or false");
  return node.json_->get<bool>();
}

std::optional<double> Node::number(std::string_view key) const {
  const Node node = at(key);
  if (node.is_null()) return std::nullopt;
  return node.number();
}

std::optional<int64_t> Node::maybe_count(std::string_view key) const {
  const Node node = at(key);
  if (node.is_null()) return std::nullopt;
  return node.count();
}

}  // namespace fovea::report::page
