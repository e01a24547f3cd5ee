// What all cases of a data set have in common, said once: which inputs there are, which of them vary
// in size from case to case or may be absent, and what the targets mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fovea/data/input_shape.h"

namespace fovea {

enum class TargetKind {
  classes,  ///< one class per case
  labels,   ///< each class is a yes or no of its own
  number,   ///< a quantity
  tags,     ///< entities in a text: each token begins one, is inside one, or neither
};
std::string_view name_of(TargetKind kind);
/// A data Error where there is none of this name.
TargetKind target_kind(std::string_view name);

/// What one target of a data set means.
struct TargetSpec {
  std::string name;                  ///< "label"
  std::vector<std::string> classes;  ///< in the order of their indices; of a number none;
                                     ///< of tags the types of entity
  TargetKind kind = TargetKind::classes;
  std::vector<int64_t> counts = {};  ///< training cases per class (labels: with the label)
  std::vector<int64_t> known = {};   ///< of labels: training cases whose answer is known
  double mean = 0;                   ///< of a number: over the training cases
  double deviation = 1;              ///< of a number: likewise; 1 where all are equal
  std::string input = {};            ///< of tags: the text

  bool multi_label() const { return kind == TargetKind::labels; }
  /// Its first size differs from case to case; padded with -1, which is no tag.
  bool ragged() const { return kind == TargetKind::tags; }
};

struct InputSpec {
  std::string name;  ///< "image"
  InputShape shape;
};

/// Inputs and targets that are not named here have one size and are in every case.
struct Schema {
  std::vector<InputSpec> inputs;
  std::vector<TargetSpec> targets;

  const InputSpec* input(std::string_view name) const;    ///< or null
  const TargetSpec* target(std::string_view name) const;  ///< or null
  bool optional(std::string_view input) const;            ///< a case may lack it
};

}  // namespace fovea
