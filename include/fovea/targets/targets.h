// What is to be learned of a case. Each target is of a type (classes, a number …) that knows how to
// read its columns of the table: a line of the table in src/targets/targets.cpp.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/catalogue.h"
#include "fovea/data/example.h"
#include "fovea/inputs/inputs.h"
#include "fovea/tables/reading.h"

namespace fovea::targets {

/// A target, or one of its labels, as numbers: what a copy of it among the inputs would say.
struct TruthColumn {
  std::string label = {};
  bool number = false;              ///< a quantity: a multiple of it is a copy, too
  std::vector<double> values = {};  ///< of each case; NaN where it is not known
};

/// What targets may ask of the inputs of the same cases.
struct InputsOfCases {
  const std::vector<std::pair<std::string, inputs::InputPtr>>& inputs;
  const std::function<std::string(size_t)>& line;  ///< of a case: "line 7"
  std::vector<std::string>& notes;
};

/// One target of all cases: what is to be found out, and what is known of it. Safe from many threads
/// once `prepare` and `fit` are done.
class Target {
 public:
  virtual ~Target() = default;

  const TargetSpec& spec() const { return spec_; }
  const tables::Findings& findings() const { return findings_; }  ///< how its cells were read

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
  /// Fits to the training cases what the spec says of them (all cases where `any` is false: there
  /// is no training split, and a class without a case is not an error).
  virtual void fit(const std::vector<int64_t>& training, bool any) = 0;
  /// Adds the truth as it was written, where no tensor says it all.
  virtual void add_origin(int64_t, Origin&) const {}

 protected:
  TargetSpec spec_;
  tables::Findings findings_;
};
using TargetPtr = std::shared_ptr<Target>;

/// The rows of each group of each table, in the order in which they are found.
struct GroupRows {
  std::vector<std::vector<int64_t>> rows;
  std::vector<std::string> table;  ///< the split that the group's table is called by, or ""
};

/// What the place of a target in a table offers to its type.
struct TargetPlace {
  const std::string& name;
  std::string where;  ///< "labels.csv", how messages begin
  size_t cases;
  std::function<std::vector<std::string_view>(const std::string& column)> cells;  ///< of each case
  std::function<std::string(size_t)> line;                                        ///< "line 7"
  std::function<GroupRows()> groups{};
  std::filesystem::path root{};   ///< what names of files are relative to
  tables::NumberFormat format{};  ///< of the cells
  bool symbols = false;           ///< the texts are a standard's: A and a are two
};

using TargetTable = Catalogue<TargetPtr(const TargetPlace&)>;
TargetTable& target_types();

struct ClassesOptions;

struct TargetChoice : Choice<TargetPtr(const TargetPlace&)> {
  TargetChoice() : Choice(target_types(), "classes") {}
  TargetChoice(ClassesOptions options);  // NOLINT: what most targets are
  template <class Options>
  TargetChoice(std::string_view type, Options options) : TargetChoice() {
    set(type, std::move(options));
  }
  /// The settings where the target is of this type, else null.
  template <class Options>
  const Options* as() const {
    const auto* held = dynamic_cast<const Held<Options>*>(&settings());
    return held ? &held->options : nullptr;
  }
};

/// By name: {age: {number: {column: age}}}. The type `classes` is left out: {label: {column:
/// class}}.
struct Targets : Named<TargetChoice> {};
void read_value(const Node& node, Targets& targets);
Node write_value(const Targets& targets);

}  // namespace fovea::targets
