// What is to be learned of a case. Each target is of a kind (classes, a number …) that knows how to
// read its columns of the table: a line of the table in src/sources/target_kinds.cpp.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/catalogue.h"
#include "fovea/data/example.h"
#include "fovea/sources/reading.h"

namespace fovea::sources {

/// Where an entity stands in a text: code points from `begin` on, before `end`.
struct TextSpan {
  int64_t begin, end;
  int64_t type;  ///< index among the classes of the target
  bool operator==(const TextSpan&) const = default;
};

/// One target of all cases.
struct Labels {
  TargetSpec spec;  ///< without what is learned of the training cases
  /// Classes: int64 [N], -1 where not known. Labels: float32 [N, L], a number: float32 [N], NaN
  /// where not known. Tags: int64 [N], the case's place in `spans`.
  torch::Tensor values;
  std::vector<std::vector<TextSpan>> spans = {};  ///< of tags, in the order of the text
  Findings findings = {};                         ///< how its cells were read

  /// False where nothing is known of the case: it can neither train nor test.
  bool known(int64_t index) const;
  const std::vector<TextSpan>& spans_of(int64_t index) const {
    return spans.at(static_cast<size_t>(values[index].item<int64_t>()));
  }
};

/// The rows of each group of each table, in the order in which they are found.
struct GroupRows {
  std::vector<std::vector<int64_t>> rows;
  std::vector<std::string> table;  ///< the split that the group's table is called by, or ""
};

/// What the place of a target in a table offers to its kind.
struct TargetPlace {
  const std::string& name;
  std::string where;  ///< "labels.csv", how messages begin
  size_t cases;
  std::function<std::vector<std::string_view>(const std::string& column)> cells;  ///< of each case
  std::function<std::string(size_t)> line;                                        ///< "line 7"
  std::function<GroupRows()> groups{};
  std::filesystem::path root{};  ///< what names of files stand on
  NumberFormat format{};         ///< of the cells
  bool symbols = false;          ///< the texts are a standard's: A and a are two
};

using TargetTable = Catalogue<Labels(const TargetPlace&)>;
const TargetTable& target_kinds();

struct ClassesOptions {
  std::vector<std::string> column{};   // one; or several of 0 and 1: one label each
  std::vector<std::string> classes{};  // in the order of their indices; default: sorted values
  std::string separator{};             // one column with several labels in a cell
  std::string none{};                  // with a separator: the text for "no label"
  std::vector<std::string> missing{};  // texts that mean "not known"

  void describe(Fields& f) {
    f("column", column, "column with the class, or several columns of 0 and 1, a label each");
    f("classes", classes, "class names in the order of their indices; default: the sorted values");
    f("separator", separator, "one column holds several labels, with this text between them");
    f("none", none, "with a separator: the text that stands for no label at all");
    f("missing", missing,
      "texts that mean 'not known' (\"\" is a blank cell): such a case does not count for this "
      "target, and is left out where it has no other; a label without its value does not count");
  }
};
/// A data Error with where, number of bad cells, the first five places, the values found and the
/// classes, where a label is outside the class list.
Labels class_target(const ClassesOptions& options, const TargetPlace& place);

struct NumberOptions {
  std::string column{};
  std::vector<double> clip{};            // lowest and highest
  std::vector<std::string> missing{""};  // texts that mean "not known"

  void describe(Fields& f) {
    f("column", column, "the column with the number").required();
    f("clip", clip,
      "[lowest, highest]: numbers beyond become these (remaining useful life: [0, 125])");
    f("missing", missing, "texts that mean 'not known' (\"\" is a blank cell)");
  }
};
/// A data Error with the lines of cells that are neither a finite number nor missing.
Labels number_target(const NumberOptions& options, const TargetPlace& place);

struct RemainingOptions {
  double clip = 0;
  Named<std::string> after_last{};

  void describe(Fields& f) {
    f("clip", clip, "more than this counts as this; 0: no limit").at_least(0);
    f("after_last", after_last,
      "for tables whose groups end early: by split the file with the rows that are left after the "
      "last one, a number per group in their order");
  }
};
/// Rows left until the last one of the group: the remaining useful life of a device, in the steps of
/// the table. A data Error where a file has not a number for each group.
Labels remaining_target(const RemainingOptions& options, const TargetPlace& place);

struct TagsOptions {
  std::string column{};
  std::string input{};
  std::vector<std::string> labels{};

  void describe(Fields& f) {
    f("column", column,
      "the column with the entities of the text: [[begin, end, label], …], in code points, the end "
      "not included")
        .required();
    f("input", input, "the text they stand in, one of data.inputs").required();
    f("labels", labels, "types of entity in the order of their indices; default: the sorted ones");
  }
};
/// A data Error with the lines of cells that are no such list.
Labels tags_target(const TagsOptions& options, const TargetPlace& place);

struct TargetChoice : Choice<Labels(const TargetPlace&)> {
  TargetChoice() : Choice(target_kinds(), "classes") {}
  TargetChoice(ClassesOptions options) : TargetChoice() {  // NOLINT: what most targets are
    set("classes", std::move(options));
  }
  template <class Options>
  TargetChoice(std::string_view kind, Options options) : TargetChoice() {
    set(kind, std::move(options));
  }
  /// The settings where the target is of this kind, else null.
  template <class Options>
  const Options* as() const {
    const auto* held = dynamic_cast<const Held<Options>*>(&settings());
    return held ? &held->options : nullptr;
  }
};

/// By name: {age: {number: {column: age}}}. The kind `classes` is left out: {label: {column: class}}.
struct Targets : Named<TargetChoice> {};
void read_value(const Node& node, Targets& targets);
Node write_value(const Targets& targets);

}  // namespace fovea::sources
