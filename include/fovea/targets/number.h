// A quantity as a target.
#pragma once

#include "fovea/targets/targets.h"

namespace fovea::targets {

struct NumberOptions {
  std::string column{};
  std::vector<double> clip{};            // lowest and highest
  std::vector<std::string> missing{""};  // texts that mean "not known"

  void describe(Fields& f) {
    f("column", column, "the column with the number").required();
    f("clip", clip,
      "[low, high]: numbers outside are set to these (remaining useful life: [0, 125])");
    f("missing", missing, "texts that mean 'not known' (\"\" is a blank cell)");
  }
};
/// A data Error with the lines of cells that are neither a finite number nor missing.
TargetPtr number_target(const NumberOptions& options, const TargetPlace& place);

}  // namespace fovea::targets
