// From the texts of labels to numbers and their meaning.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/data/example.h"
#include "fovea/sources/data_options.h"

namespace fovea::sources {

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
TargetPtr classes_of_cases(TargetSpec spec, torch::Tensor values, Findings findings);

/// A number for each case, float32 [N], NaN where it is not known.
TargetPtr number_of_cases(std::string name, torch::Tensor values, Findings findings);

/// Whether the tags of a text say an entity as it was written, and if not, why.
enum class Said : int64_t { by_tags, cut, unalignable };

/// For each case one class to stratify by, of a target that has classes; those that are not known
/// are a class of their own. Several labels: the rarest of the case that at least `least` groups
/// have.
std::vector<int64_t> strata(const std::vector<std::vector<int64_t>>& classes, bool exclusive,
                            size_t width, const std::vector<std::string>& groups, int64_t least);

/// The classes of each of these cases.
std::vector<std::vector<int64_t>> classes_of(const Target& target,
                                             const std::vector<int64_t>& cases);

/// train, val or test for the usual other words (training, validation, valid, dev, testing), in any
/// case and with blanks around; else the word itself.
std::string split_named(std::string_view word);

/// "" for a split that may be meant: a known one, or a name of its own ("holdout") that is no slip of
/// the pen; else what to say of it: "'vaild' is no split; did you mean 'valid'? …".
std::string why_no_split(std::string_view word);

/// The split of each of these cases, drawn by the shares; stratified by the first target that has
/// classes.
std::vector<std::string> draw_splits(const SplitOptions& options,
                                     const std::vector<TargetPtr>& targets,
                                     const std::vector<int64_t>& cases,
                                     const std::vector<std::string>& groups, uint64_t seed);

}  // namespace fovea::sources
