#include "fovea/tasks/losses/class_weights.h"

#include "fovea/core/error.h"
#include "fovea/core/text.h"

namespace fovea::tasks {

void read_value(const Node& node, ClassWeights& value) {
  value.values.clear();
  if (node.kind == Node::Kind::list) {
    value.rule = "list";
    fovea::read_value(node, value.values);
    for (const double weight : value.values)
      if (weight < 0)
        throw config_error(place(node) + "found " + number(weight) + ", wanted at least 0");
    return;
  }
  fovea::read_value(node, value.rule);
  if (value.rule != "none" && value.rule != "balanced")
    throw config_error(place(node) + "found '" + value.rule +
                       "', wanted none, balanced, or a list with a number per class");
}

Node write_value(const ClassWeights& value) {
  return value.rule == "list" ? fovea::write_value(value.values) : fovea::write_value(value.rule);
}

}  // namespace fovea::tasks
