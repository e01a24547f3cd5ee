// Metrics that depend only on decisions: two-by-two counts, and the k-by-k confusion matrix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// The two-by-two table of one yes-or-no question.
struct Counts {
  int64_t true_positives = 0;
  int64_t false_positives = 0;
  int64_t true_negatives = 0;
  int64_t false_negatives = 0;

  int64_t cases() const { return positives() + negatives(); }
  int64_t positives() const { return true_positives + false_negatives; }
  int64_t negatives() const { return true_negatives + false_positives; }
};

/// Positive is `score >= threshold`. Labels are 0 or 1. NaN is refused with an Error. weights [n]: how
/// often a case counts; empty: once.
Counts count(std::span<const double> scores, std::span<const uint8_t> labels, double threshold,
             std::span<const int32_t> weights = {});

/// Each is undefined where its denominator is 0, and says which cases were missing.
MetricValue accuracy(const Counts& counts);           ///< (TP + TN) / n
MetricValue balanced_accuracy(const Counts& counts);  ///< mean of sensitivity and specificity
MetricValue sensitivity(const Counts& counts);        ///< TP / (TP + FN), recall
MetricValue specificity(const Counts& counts);        ///< TN / (TN + FP)
MetricValue ppv(const Counts& counts);                ///< TP / (TP + FP), precision
MetricValue npv(const Counts& counts);                ///< TN / (TN + FN)
MetricValue f1(const Counts& counts);                 ///< 2 TP / (2 TP + FP + FN)
MetricValue mcc(const Counts& counts);                ///< Matthews 1975
MetricValue kappa(const Counts& counts);              ///< Cohen 1960

/// Decisions against truth for k classes: `at(truth, decision)` cases.
class ConfusionMatrix {
 public:
  ConfusionMatrix() = default;
  explicit ConfusionMatrix(size_t classes) : classes_(classes), cells_(classes * classes) {}
  /// truths and decisions are class indices below `classes`; others are refused with an Error.
  ConfusionMatrix(size_t classes, std::span<const int> truths, std::span<const int> decisions);

  size_t classes() const { return classes_; }
  int64_t at(size_t truth, size_t decision) const { return cells_[truth * classes_ + decision]; }
  int64_t& at(size_t truth, size_t decision) { return cells_[truth * classes_ + decision]; }
  int64_t cases() const;
  int64_t correct() const;
  int64_t truths(size_t of_class) const;     ///< row sum
  int64_t decisions(size_t of_class) const;  ///< column sum
  Counts against_rest(size_t of_class) const;

 private:
  size_t classes_ = 0;
  std::vector<int64_t> cells_;  // [truth, decision]
};

MetricValue accuracy(const ConfusionMatrix& matrix);
MetricValue balanced_accuracy(
    const ConfusionMatrix& matrix);              ///< mean sensitivity of the classes that occur
MetricValue mcc(const ConfusionMatrix& matrix);  ///< R_K, Gorodkin 2004
MetricValue kappa(const ConfusionMatrix& matrix);

}  // namespace fovea::metrics
