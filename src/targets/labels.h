// From the texts of labels to numbers and their meaning.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/data/example.h"
#include "fovea/targets/classes.h"

namespace fovea::targets {

/// The labels of one target as they were written: per column the text of each case.
struct LabelTexts {
  std::string where;  // "labels.csv: column 'class'", how messages begin
  std::vector<std::string> columns;
  std::vector<std::vector<std::string_view>> cells;  // [column][case]
  std::function<std::string(size_t)> place;          // of a case: "line 7"
  bool indices = false;                              // of listed classes, as the format has it
  char decimal = '.';                                // of numbers that are names: 1,0 is 1
  bool symbols = false;                              // a standard's, each written in one way
};

/// A target whose values are one tensor: [N, …], NaN or -1 where a case's is not known.
class TensorTarget : public Target {
 public:
  torch::Tensor read(int64_t index) const override { return values_[index]; }
  bool known(int64_t index) const override;
  void keep(const std::vector<int64_t>& cases) override;

 protected:
  torch::Tensor values_;
};

/// Reads classes as `options` say.
TargetPtr read_labels(const std::string& name, const ClassesOptions& options,
                      const LabelTexts& texts);

/// One class of several for each case, int64 [N], -1 where it is not known; or several labels at once,
/// float32 [N, L] of 0 and 1, NaN where one is not known.
TargetPtr classes_of_cases(TargetSpec spec, torch::Tensor values, tables::Findings findings);

/// A number for each case, float32 [N], NaN where it is not known.
TargetPtr number_of_cases(std::string name, torch::Tensor values, tables::Findings findings);

}  // namespace fovea::targets
