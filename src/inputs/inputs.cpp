// The table of the input types. To add one: a file like table.cpp, and a line here.
#include "fovea/inputs/inputs.h"

#include "fovea/inputs/image.h"
#include "fovea/inputs/series.h"
#include "fovea/inputs/table.h"
#include "fovea/inputs/text.h"

namespace fovea::inputs {
namespace {

bool is_type(std::string_view name) { return input_types().find(name) != nullptr; }

}  // namespace

InputTable& input_types() {
  static InputTable table(
      "inputs",
      {
          InputTable::item<ImageOptions>("image", "an image or volume, a file per case",
                                         image_input),
          InputTable::item<TableOptions>("table", "numbers and categories, columns of the table",
                                         table_input),
          InputTable::item<TextOptions>("text", "a report, a column of the table", text_input),
          InputTable::item<SeriesOptions>(
              "series", "measurements over time: rows of the table, files, or a long table",
              series_input),
      });
  return table;
}

void read_value(const Node& node, Inputs& inputs) {
  inputs.entries.clear();
  if (node.kind != Node::Kind::map) wrong_kind(node, "a map of name: one of the inputs");
  for (const Entry& entry : node.entries) {
    InputChoice& input = inputs.entries.emplace_back(entry.key, InputChoice()).second;
    const Node& value = entry.value;
    const bool says_type = value.kind == Node::Kind::scalar ||
                           (value.kind == Node::Kind::map && value.entries.size() == 1 &&
                            is_type(value.entries[0].key));
    if (!is_type(entry.key) || says_type) {
      fovea::read_value(value, input);
      continue;
    }
    Node named;
    named.where = value.where;
    named.path = value.path;
    named.base = value.base;
    named.at(entry.key) = value;
    fovea::read_value(named, input);
  }
}

Node write_value(const Inputs& inputs) {
  Node node;
  node.kind = Node::Kind::map;
  for (const auto& [name, input] : inputs)
    node.at(name) = name == input.name() ? input.settings().write() : fovea::write_value(input);
  return node;
}

}  // namespace fovea::inputs
