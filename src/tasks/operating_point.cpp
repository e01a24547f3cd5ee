// How a config says where "positive" begins.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/tasks/classification.h"

namespace fovea::tasks {
namespace {

using Type = metrics::PointRule::Type;
constexpr std::pair<const char*, Type> kRules[] = {{"sensitivity", Type::sensitivity},
                                                   {"specificity", Type::specificity},
                                                   {"cost", Type::cost},
                                                   {"fixed", Type::fixed}};
constexpr const char* kWanted =
    "youden, or one of {sensitivity: 0.95}, {specificity: 0.9}, {cost: 10}, {fixed: 0.5}";

}  // namespace

void read_value(const Node& node, OperatingPointRule& rule) {
  rule = {};
  if (node.kind == Node::Kind::scalar && node.text == "youden") return;
  if (node.kind != Node::Kind::map || node.entries.size() != 1) wrong_kind(node, kWanted);
  const Entry& entry = node.entries[0];
  const auto* known =
      std::ranges::find_if(kRules, [&](const auto& named) { return named.first == entry.key; });
  if (known == std::end(kRules)) wrong_kind(node, kWanted);
  rule.type = known->second;
  fovea::read_value(entry.value, rule.wanted);
  const bool share = rule.type != Type::cost;
  if (!(rule.wanted > 0) || (share && rule.wanted > 1) || !std::isfinite(rule.wanted))
    throw config_error(fmt::format("{}{}: found {}, wanted a number above 0{}", place(node),
                                   entry.key, number(rule.wanted), share ? ", at most 1" : ""));
}

Node write_value(const OperatingPointRule& rule) {
  for (const auto& [name, type] : kRules)
    if (type == rule.type) {
      Node node;
      node.at(name) = fovea::write_value(rule.wanted);
      return node;
    }
  return Node::scalar("youden");
}

std::string type_name(const OperatingPointRule&) { return "youden, or a rule and its number"; }

}  // namespace fovea::tasks
