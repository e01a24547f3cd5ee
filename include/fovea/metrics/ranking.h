// Metrics that depend only on the order of the scores: ROC and precision-recall, their curves and
// areas.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// Scores sorted once, from the surest positive down; every curve and area is then a walk over it.
///
/// scores [n]: any order-preserving score, infinities allowed, NaN refused with an Error. labels
/// [n]: 0 or 1.
class Ranking {
 public:
  /// Everything at or above `score`: so many true and so many false positives.
  struct Step {
    double score;
    int64_t true_positives;
    int64_t false_positives;
  };

  Ranking() = default;
  Ranking(std::span<const double> scores, std::span<const uint8_t> labels);

  /// Counts case i weights[i] times from now on, 0 leaves it out: the ranking of a replicate, without
  /// sorting again.
  void weigh(std::span<const int32_t> weights);

  /// One per distinct score that counts, falling.
  const std::vector<Step>& steps() const { return steps_; }
  int64_t positives() const { return steps_.empty() ? 0 : steps_.back().true_positives; }
  int64_t negatives() const { return steps_.empty() ? 0 : steps_.back().false_positives; }

 private:
  struct Case {
    double score;
    uint32_t row;  // among the scores it was made of
    bool positive;
    bool last;  // of its score
  };
  std::vector<Case> cases_;
  std::vector<Step> steps_;
};

/// Area under the ROC curve: the probability that a positive case scores above a negative one, ties
/// counted half (Mann-Whitney; Hanley and McNeil 1982). Undefined unless both classes occur.
MetricValue roc_auc(const Ranking& ranking);
MetricValue roc_auc(std::span<const double> scores, std::span<const uint8_t> labels);

/// Average precision, the step-wise sum of (R_i - R_{i-1}) P_i, not the trapezoid. Undefined unless
/// both classes occur.
MetricValue average_precision(const Ranking& ranking);
MetricValue average_precision(std::span<const double> scores, std::span<const uint8_t> labels);

struct RocPoint {
  double false_positive_rate;
  double true_positive_rate;
  double threshold;  ///< called positive at or above; +inf at (0, 0)
};
/// From (0, 0) to (1, 1), one point per distinct score. Empty unless both classes occur.
std::vector<RocPoint> roc_curve(const Ranking& ranking);
std::vector<RocPoint> roc_curve(std::span<const double> scores, std::span<const uint8_t> labels);

struct PrecisionRecallPoint {
  double recall;
  double precision;
  double threshold;
};
/// One point per distinct score, recall rising to 1. Empty where no case is positive.
std::vector<PrecisionRecallPoint> precision_recall_curve(const Ranking& ranking);
std::vector<PrecisionRecallPoint> precision_recall_curve(std::span<const double> scores,
                                                         std::span<const uint8_t> labels);

}  // namespace fovea::metrics
