// What is to be learned of a case. Each target is of a kind (classes, a number …) that knows how to
// read its columns of the table: a line of the table in src/sources/target_kinds.cpp.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/catalogue.h"
#include "fovea/data/example.h"
#include "fovea/sources/reading.h"

namespace fovea::sources {

class Input;

/// A target, or one of its labels, as numbers: what a copy of it among the inputs would say.
struct TruthColumn {
  std::string label = {};
  bool number = false;              ///< a quantity: a multiple of it is a copy, too
  std::vector<double> values = {};  ///< of each case; NaN where it is not known
};

/// What targets may ask of the inputs of the same cases.
struct InputsOfCases {
  const std::vector<std::pair<std::string, std::shared_ptr<const Input>>>& inputs;
  const std::function<std::string(size_t)>& line;  ///< of a case: "line 7"
  std::vector<std::string>& notes;
};

/// One target of all cases: what is to be found out, and what is known of it. Safe from many threads
/// once `prepare` and `fit` are done.
class Target {
 public:
  virtual ~Target() = default;

  const TargetSpec& spec() const { return spec_; }
  const Findings& findings() const { return findings_; }  ///< how its cells were read

  /// The truth of a case, as Example::targets has it.
  virtual torch::Tensor read(int64_t index) const = 0;
  /// False where nothing is known of the case: it can neither train nor test.
  virtual bool known(int64_t index) const = 0;
  /// Leaves the cases at these places, in that order.
  virtual void keep(const std::vector<int64_t>& cases) = 0;

  /// Whether a case counts for classes: then splits are drawn by them, and they are counted.
  virtual bool has_classes() const { return false; }
  /// Those that it counts for; empty where it has none, or nobody knows.
  virtual std::vector<int64_t> classes_of(int64_t) const { return {}; }
  virtual std::vector<TruthColumn> columns() const { return {}; }
  /// What `check` says of it beside the findings: "classes healthy 40, ill 38"; "" for nothing.
  virtual std::string summary() const { return ""; }

  /// Once, when the inputs are there.
  virtual void prepare(const InputsOfCases&) {}
  /// Learns from the training cases what the spec says of them (all cases where `any` is false: there
  /// is no training split, and a class without a case is no error).
  virtual void fit(const std::vector<int64_t>& training, bool any) = 0;
  /// Adds the truth as it was written, where no tensor says it all.
  virtual void add_origin(int64_t, Origin&) const {}

 protected:
  TargetSpec spec_;
  Findings findings_;
};
using TargetPtr = std::shared_ptr<Target>;

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

using TargetTable = Catalogue<TargetPtr(const TargetPlace&)>;
TargetTable& target_kinds();

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
TargetPtr class_target(const ClassesOptions& options, const TargetPlace& place);

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
TargetPtr number_target(const NumberOptions& options, const TargetPlace& place);

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
TargetPtr remaining_target(const RemainingOptions& options, const TargetPlace& place);

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
TargetPtr tags_target(const TagsOptions& options, const TargetPlace& place);

struct TargetChoice : Choice<TargetPtr(const TargetPlace&)> {
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
