// Results for parts of the cases: `data.subgroups: [sex, age]`.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fovea/sources/source.h"
#include "fovea/tasks/task.h"

namespace fovea::commands {

/// An evaluation for every value of every column. A column of numbers with more than 10 different
/// values is cut into four bands that hold about as many cases each; a blank cell is a value of its
/// own.
class Subgroups {
 public:
  /// Of the cases of one split, or of "all". A data Error where a column of words has more than 50
  /// different values: that is not a group.
  Subgroups(const sources::Source& source, const std::string& split, const tasks::Task& task);

  /// Cases by their positions in the split.
  void add(const TensorMap& decoded, const Batch& batch);

  /// Adds the section "subgroups" to the metrics.json below `folder`:
  ///   {"sex": [{"value": "f", "n": 12, "figures": {"auc": 0.91, …}, "undefined": {…}}, …]}
  /// with "small": true where there are fewer than 20 cases.
  void write(const std::filesystem::path& folder) const;

  /// A line for each: "subgroup sex=f n=12 auc=0.9100", with the task's main metric.
  std::string lines() const;

 private:
  struct Group {
    std::string value;
    int64_t cases = 0;
    std::unique_ptr<tasks::Evaluation> evaluation;
  };
  struct Column {
    std::string name;
    std::vector<size_t> group_of;  // of each case of the split
    std::vector<Group> groups;
  };

  std::vector<Column> columns_;
};

}  // namespace fovea::commands
