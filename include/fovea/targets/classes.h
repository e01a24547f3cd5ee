// One of several classes, or several labels at once, as a target.
#pragma once

#include "fovea/targets/targets.h"

namespace fovea::targets {

struct ClassesOptions {
  std::vector<std::string> column{};   // one; or several of 0 and 1: one label each
  std::vector<std::string> classes{};  // in the order of their indices; default: sorted values
  std::string separator{};             // one column with several labels in a cell
  std::string none{};                  // with a separator: the text for "no label"
  std::vector<std::string> missing{};  // texts that mean "not known"

  void describe(Fields& f) {
    f("column", column, "column with the class, or several columns of 0 and 1, one per label");
    f("classes", classes, "class names in the order of their indices; default: the sorted values");
    f("separator", separator, "one column holds several labels, with this text between them");
    f("none", none, "with a separator: the text that means no label at all");
    f("missing", missing,
      "texts that mean 'not known' (\"\" is a blank cell): such a case does not count for this "
      "target, and is left out if it has no other; a label without a value does not count");
  }
};
/// A data Error with where, number of bad cells, the first five places, the values found and the
/// classes, where a label is outside the class list.
TargetPtr class_target(const ClassesOptions& options, const TargetPlace& place);

/// The settings of a target that must be of classes; else a config Error.
ClassesOptions classes_options(const std::string& name, const TargetChoice& target);

}  // namespace fovea::targets
