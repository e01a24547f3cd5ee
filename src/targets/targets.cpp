// The table of the target types. To add one: a file like number.cpp, and a line here.
#include "fovea/targets/targets.h"

#include "fovea/targets/classes.h"
#include "fovea/targets/number.h"
#include "fovea/targets/remaining_useful_life.h"
#include "fovea/targets/tags.h"

namespace fovea::targets {

TargetTable& target_types() {
  static TargetTable table(
      "targets",
      {
          TargetTable::item<ClassesOptions>(
              "classes", "one of several classes, or several labels at once", class_target),
          TargetTable::item<NumberOptions>("number", "a quantity in its own unit", number_target),
          TargetTable::item<RemainingUsefulLifeOptions>(
              "remaining_useful_life",
              "remaining useful life: rows left until the last one of the group",
              remaining_useful_life_target)
              .formerly("remaining"),
          TargetTable::item<TagsOptions>("tags", "entities in a text, for report extraction",
                                         tags_target),
      });
  return table;
}

namespace {

/// `classes` is a key of its own settings, too: there it is a list.
bool says_type(const Node& value) {
  if (value.kind != Node::Kind::map || value.entries.size() != 1) return false;
  const Entry& only = value.entries[0];
  return target_types().find(only.key) &&
         (only.key != "classes" || only.value.kind == Node::Kind::map);
}

}  // namespace

void read_value(const Node& node, Targets& targets) {
  targets.entries.clear();
  if (node.kind != Node::Kind::map) wrong_kind(node, "a map of name: one of the targets");
  for (const Entry& entry : node.entries) {
    TargetChoice& target = targets.entries.emplace_back(entry.key, TargetChoice()).second;
    const Node& value = entry.value;
    if (says_type(value))
      fovea::read_value(value, target);
    else
      target.read_settings(value);
  }
}

Node write_value(const Targets& targets) {
  Node node;
  node.kind = Node::Kind::map;
  for (const auto& [name, target] : targets)
    node.at(name) =
        target.name() == "classes" ? target.settings().write() : fovea::write_value(target);
  return node;
}

}  // namespace fovea::targets
