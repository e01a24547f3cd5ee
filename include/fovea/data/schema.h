// What all cases of a data set have in common, said once: which inputs there are, which of them vary
// in size from case to case or may be absent, and what the targets mean.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/data/input_shape.h"
#include "fovea/metrics/predictions.h"

namespace fovea {

/// Where the values of a target lie: what a transform of its input does to them, and how cases of
/// different sizes are stacked.
enum class Layout {
  none,    ///< in no space: a class, a number
  tokens,  ///< [L], one for each token of a text
  mask,    ///< [H, W] or [D, H, W], a class for each sample of an image
  image,   ///< [C, H, W] or [C, D, H, W], an image on the grid of another
  boxes,  ///< [B, 2 d + 1]: least, then greatest corner, x before y (before z), in samples from the
          ///< image's edge on (the whole image is [0, 0, W, H]); then the class, -1: ignored
  points,  ///< [P, d]: x, y (, z), likewise
};

std::string_view name_of(Layout layout);
/// A data Error where there is none of this name.
Layout layout_named(std::string_view name);

/// What one target of a data set means. `type` says what a task may make of it; whoever adds a type
/// adds a source of it (targets/labels.h) and a task, and nothing between them asks for its name:
///
///   classes  one class per case
///   labels   each class is a yes or no of its own
///   number   a quantity
///   tags     entities in a text: each token begins one, is inside one, or neither
struct TargetSpec {
  std::string name;                  ///< "label"
  std::vector<std::string> classes;  ///< in the order of their indices; of a number none;
                                     ///< of tags the types of entity
  std::string type = "classes";
  std::vector<int64_t> counts = {};  ///< training cases per class (labels: with the label)
  std::vector<int64_t> known = {};   ///< of labels: training cases whose answer is known
  double mean = 0;                   ///< of a number: over the training cases
  double deviation = 1;              ///< of a number: likewise; 1 where all are equal
  std::string input = {};            ///< the input whose space it lies in: of tags the text
  Layout layout = Layout::none;
  /// Chosen on validation cases once the model was trained (metrics::Predictions::points); empty: not
  /// chosen.
  std::vector<metrics::OperatingPoint> points = {};
  /// Others, for the table of a report: by rule, "specificity 0.95", in the same way.
  std::vector<std::pair<std::string, std::vector<metrics::OperatingPoint>>> more_points = {};

  bool multi_label() const { return type == "labels"; }
  /// Its first size differs from case to case; padded with -1 (NaN where it is floating point).
  bool ragged() const {
    return layout == Layout::tokens || layout == Layout::boxes || layout == Layout::points;
  }
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
