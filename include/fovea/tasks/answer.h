// What a model says of one target of one case. Needs no LibTorch: other programs see it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea {

/// A piece of a text: code points from `begin` on, before `end`, of the text as it was given.
struct FoundEntity {
  std::string label;
  std::string text;
  int64_t begin = 0;
  int64_t end = 0;
};

struct Answer {
  std::string target;  ///< "label"
  /// Classification: by class, in the order of the classes.
  std::vector<std::pair<std::string, double>> probabilities = {};
  /// Regression: in the unit of the target.
  std::optional<double> number = {};
  /// Token classification: in the order of the text.
  std::optional<std::vector<FoundEntity>> entities = {};
  /// Token classification with a report: its fields, each with the texts that fill it.
  std::vector<std::pair<std::string, std::vector<std::string>>> report = {};
  /// The class; of several yes-or-no labels those that hold, joined by '|'; a number as text;
  /// the labels of the entities, joined by '|'.
  std::string decision = {};
};

}  // namespace fovea
