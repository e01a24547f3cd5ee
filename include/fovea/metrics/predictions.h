// What an evaluation leaves behind, on plain numbers: who was asked, what the model said, what is
// true.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::metrics {

enum class Mode {
  binary,      ///< two classes, one of them the positive one
  multiclass,  ///< one of k
  multilabel,  ///< k yes-or-no questions, each answered on its own; answers may be unknown
};
std::string_view name_of(Mode mode);

/// A label that nobody gave (multi-label only): the case does not count for that label.
inline constexpr int kUnknown = -1;

/// Where "positive" begins. Chosen before the test data is looked at, and stored with the model.
struct OperatingPoint {
  double threshold = 0.5;          ///< positive is p >= threshold
  std::string chosen = "default";  ///< how: "default", "youden on val", ...
  bool operator==(const OperatingPoint&) const = default;
};

/// n cases, k classes. Plain vectors, so that batches can be appended; `check` says whether they
/// fit together.
struct Predictions {
  Mode mode = Mode::binary;
  std::vector<std::string> classes;  ///< [k] names; k = 2 in binary mode
  size_t positive = 1;              ///< the positive class of binary mode: by convention the second
  std::vector<std::string> ids;     ///< [n]
  std::vector<std::string> groups;  ///< [n] the patient; empty where the data has none
  std::vector<double> probabilities;  ///< [n, k] row-major
  std::vector<int> labels;            ///< [n] class index; multi-label: [n, k] of 0, 1 or kUnknown
  /// Binary: one; multi-label: one per label, or one for all; multi-class takes the largest probability.
  /// Empty: the default.
  std::vector<OperatingPoint> points;

  size_t cases() const { return ids.size(); }
  size_t width() const { return classes.size(); }
  double probability(size_t row, size_t of_class) const {
    return probabilities[row * classes.size() + of_class];
  }
  size_t distinct_groups() const;  ///< 0 where the data has none
  const OperatingPoint& point(size_t label = 0) const;

  /// Adds the cases of `other`, which must have the same mode and classes.
  void append(const Predictions& other);

  /// The cases `rows`, in this order.
  Predictions part(std::span<const uint32_t> rows) const;

  /// Throws an Error (data) where sizes disagree, a probability is NaN or outside [0, 1], or a
  /// label is not a class.
  void check() const;
};

/// The class index decided for a case (binary, multi-class; the first of equal probabilities).
size_t decide(const Predictions& predictions, size_t row);

}  // namespace fovea::metrics
