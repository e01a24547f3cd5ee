#include "fovea/metrics/counts.h"

#include <cmath>
#include <numeric>

#include "metrics/check.h"

namespace fovea::metrics {
namespace {

constexpr const char* kNoCases = "no cases";

}  // namespace

Counts count(std::span<const double> scores, std::span<const uint8_t> labels, double threshold,
             std::span<const int32_t> weights) {
  check_sizes("labels, one per score", labels.size(), scores.size());
  check_weights(weights, scores.size());
  Counts counts;
  for (size_t i = 0; i < scores.size(); ++i) {
    check_not_nan("counting decisions", scores[i], i);
    check_label("counting decisions", labels[i], i);
    const bool called = scores[i] >= threshold;
    const int64_t weight = weight_of(weights, i);
    if (labels[i]) {
      (called ? counts.true_positives : counts.false_negatives) += weight;
    } else {
      (called ? counts.false_positives : counts.true_negatives) += weight;
    }
  }
  return counts;
}

MetricValue accuracy(const Counts& counts) {
  const int64_t right = counts.true_positives + counts.true_negatives;
  return ratio(static_cast<double>(right), static_cast<double>(counts.cases()), kNoCases);
}

MetricValue balanced_accuracy(const Counts& counts) {
  MetricValue found = sensitivity(counts), spared = specificity(counts);
  if (!found.defined()) return found;
  if (!spared.defined()) return spared;
  return (found.value + spared.value) / 2;
}

MetricValue sensitivity(const Counts& counts) {
  return ratio(static_cast<double>(counts.true_positives), static_cast<double>(counts.positives()),
               "no positive case");
}

MetricValue specificity(const Counts& counts) {
  return ratio(static_cast<double>(counts.true_negatives), static_cast<double>(counts.negatives()),
               "no negative case");
}

MetricValue ppv(const Counts& counts) {
  const int64_t called = counts.true_positives + counts.false_positives;
  return ratio(static_cast<double>(counts.true_positives), static_cast<double>(called),
               "no case was called positive");
}

MetricValue npv(const Counts& counts) {
  const int64_t called = counts.true_negatives + counts.false_negatives;
  return ratio(static_cast<double>(counts.true_negatives), static_cast<double>(called),
               "no case was called negative");
}

MetricValue f1(const Counts& counts) {
  const int64_t twice = 2 * counts.true_positives;
  const int64_t all = twice + counts.false_positives + counts.false_negatives;
  return ratio(static_cast<double>(twice), static_cast<double>(all),
               "no case is positive and none was called so");
}

namespace {

ConfusionMatrix as_matrix(const Counts& counts) {
  ConfusionMatrix matrix(2);
  matrix.at(0, 0) = counts.true_negatives;
  matrix.at(0, 1) = counts.false_positives;
  matrix.at(1, 0) = counts.false_negatives;
  matrix.at(1, 1) = counts.true_positives;
  return matrix;
}

}  // namespace

MetricValue mcc(const Counts& counts) { return mcc(as_matrix(counts)); }
MetricValue kappa(const Counts& counts) { return kappa(as_matrix(counts)); }

ConfusionMatrix::ConfusionMatrix(size_t classes, std::span<const int> truths,
                                 std::span<const int> decisions)
    : ConfusionMatrix(classes) {
  check_sizes("decisions of a confusion matrix, one per truth", decisions.size(), truths.size());
  for (size_t i = 0; i < truths.size(); ++i) {
    check_class("confusion matrix", truths[i], classes, i);
    check_class("confusion matrix", decisions[i], classes, i);
    at(static_cast<size_t>(truths[i]), static_cast<size_t>(decisions[i])) += 1;
  }
}

int64_t ConfusionMatrix::cases() const {
  return std::accumulate(cells_.begin(), cells_.end(), int64_t{0});
}

int64_t ConfusionMatrix::correct() const {
  int64_t sum = 0;
  for (size_t k = 0; k < classes_; ++k) sum += at(k, k);
  return sum;
}

int64_t ConfusionMatrix::truths(size_t of_class) const {
  int64_t sum = 0;
  for (size_t k = 0; k < classes_; ++k) sum += at(of_class, k);
  return sum;
}

int64_t ConfusionMatrix::decisions(size_t of_class) const {
  int64_t sum = 0;
  for (size_t k = 0; k < classes_; ++k) sum += at(k, of_class);
  return sum;
}

Counts ConfusionMatrix::against_rest(size_t of_class) const {
  Counts counts;
  counts.true_positives = at(of_class, of_class);
  counts.false_negatives = truths(of_class) - counts.true_positives;
  counts.false_positives = decisions(of_class) - counts.true_positives;
  counts.true_negatives =
      cases() - counts.true_positives - counts.false_negatives - counts.false_positives;
  return counts;
}

MetricValue accuracy(const ConfusionMatrix& matrix) {
  return ratio(static_cast<double>(matrix.correct()), static_cast<double>(matrix.cases()),
               kNoCases);
}

MetricValue balanced_accuracy(const ConfusionMatrix& matrix) {
  double sum = 0;
  size_t occurring = 0;
  for (size_t k = 0; k < matrix.classes(); ++k) {
    const int64_t cases = matrix.truths(k);
    if (cases == 0) continue;
    sum += static_cast<double>(matrix.at(k, k)) / static_cast<double>(cases);
    ++occurring;
  }
  if (occurring == 0) return MetricValue::undefined(kNoCases);
  if (occurring == 1) return MetricValue::undefined("only one class occurs");
  return sum / static_cast<double>(occurring);
}

MetricValue mcc(const ConfusionMatrix& matrix) {
  const double cases = static_cast<double>(matrix.cases());
  if (cases == 0) return MetricValue::undefined(kNoCases);
  double agree = 0, squared_truths = 0, squared_decisions = 0;
  for (size_t k = 0; k < matrix.classes(); ++k) {
    const double truths = static_cast<double>(matrix.truths(k));
    const double decisions = static_cast<double>(matrix.decisions(k));
    agree += truths * decisions;
    squared_truths += truths * truths;
    squared_decisions += decisions * decisions;
  }
  const double spread_of_truths = cases * cases - squared_truths;
  const double spread_of_decisions = cases * cases - squared_decisions;
  if (spread_of_truths == 0) return MetricValue::undefined("only one class occurs");
  if (spread_of_decisions == 0) return MetricValue::undefined("only one class was decided for");
  return (static_cast<double>(matrix.correct()) * cases - agree) /
         (std::sqrt(spread_of_truths) * std::sqrt(spread_of_decisions));
}

MetricValue kappa(const ConfusionMatrix& matrix) {
  const double cases = static_cast<double>(matrix.cases());
  if (cases == 0) return MetricValue::undefined(kNoCases);
  double by_chance = 0;  // the agreement that the margins alone would give, in cases^2
  for (size_t k = 0; k < matrix.classes(); ++k) {
    by_chance += static_cast<double>(matrix.truths(k)) * static_cast<double>(matrix.decisions(k));
  }
  return ratio(static_cast<double>(matrix.correct()) * cases - by_chance, cases * cases - by_chance,
               "only one class occurs, and it was decided for always");
}

}  // namespace fovea::metrics
