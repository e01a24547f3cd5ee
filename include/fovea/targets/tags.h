// Entities of a text as a target.
#pragma once

#include "fovea/targets/targets.h"

namespace fovea::targets {

struct TagsOptions {
  std::string column{};
  std::string input{};
  std::vector<std::string> labels{};

  void describe(Fields& f) {
    f("column", column,
      "the column with the entities of the text: [[begin, end, label], …], in code points, the end "
      "not included")
        .required();
    f("input", input, "the text that contains them, one of data.inputs").required();
    f("labels", labels, "entity types in the order of their indices; default: the sorted types");
  }
};
/// A data Error with the lines of cells that are not such a list.
TargetPtr tags_target(const TagsOptions& options, const TargetPlace& place);

}  // namespace fovea::targets
