#include "train/run_facts.h"

#include <ATen/Version.h>
#include <fmt/format.h>

namespace fovea::train {
namespace {

void flatten(const Node& node, const std::string& path, Facts& facts) {
  if (node.kind != Node::Kind::map || node.entries.empty()) facts[path] = inline_text(node);
  for (const Entry& entry : node.entries)
    if (!entry.cosmetic)
      flatten(entry.value, path.empty() ? entry.key : path + "." + entry.key, facts);
}

}  // namespace

Facts settings_of(const Node& config) {
  Facts facts;
  if (config.kind == Node::Kind::map) flatten(config, "", facts);
  return facts;
}

Facts facts_of(const RunIdentity& identity) {
  Facts facts = settings_of(identity.config);
  for (const auto& [name, value] : identity.facts) facts["(" + name + ")"] = value;
  facts["(cpu)"] = at::get_cpu_capability();
  facts["(data)"] = identity.data_fingerprint;
  return facts;
}

Facts in_names_of_today(Facts noted, const Facts& written, const Facts& read) {
  std::erase_if(noted, [&](const auto& fact) {
    const auto found = written.find(fact.first);
    return found != written.end() && found->second == fact.second;
  });
  noted.insert(read.begin(), read.end());
  return noted;
}

std::string difference(const Facts& before, const Facts& after) {
  std::string text;
  const auto value = [](const Facts& facts, const std::string& key) {
    const auto found = facts.find(key);
    return found == facts.end() ? "(absent)" : found->second;
  };
  Facts all = before;
  all.insert(after.begin(), after.end());
  for (const auto& [key, ignored] : all)
    if (value(before, key) != value(after, key))
      text += fmt::format("\n  {}: {} -> {}", key, value(before, key), value(after, key));
  return text;
}

}  // namespace fovea::train
