// The metrics that have a name: one table, from which `best: auc`, `fovea list metrics` and every
// report are served.
//
// To add one: write a function of a Question (one yes-or-no question), which counts each case as often
// as its weight says, and give it a line in src/metrics/catalogue.cpp. It has intervals then, too.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/metrics/counts.h"
#include "fovea/metrics/goal.h"
#include "fovea/metrics/metric_value.h"
#include "fovea/metrics/predictions.h"
#include "fovea/metrics/ranking.h"

namespace fovea::metrics {

/// One yes-or-no question put to the cases whose answer is known: "is it class k?" or "has it label
/// k?".
struct Question {
  std::string name;                   ///< of the class
  std::vector<double> probabilities;  ///< that the answer is yes
  std::vector<uint8_t> labels;        ///< 1 where it is
  std::vector<uint8_t> called;        ///< 1 where the model decided yes
  std::vector<uint32_t> rows;         ///< which case of the predictions each is
  std::vector<int32_t> weights;       ///< how often each counts; empty: once
  Ranking ranking;                    ///< probabilities and labels, sorted
  Counts counts;  ///< at the operating point (multi-class: decided by the largest probability)
};

/// Predictions prepared once, so that no metric sorts or counts again.
struct Scored {
  Mode mode = Mode::binary;
  std::vector<Question> questions;    ///< binary: the positive class alone; otherwise one per class
  ConfusionMatrix confusion;          ///< binary, multi-class
  std::vector<double> probabilities;  ///< [n, k], and
  std::vector<int> labels;            ///< [n] class index (multi-label: [n, k])
  std::vector<int> decisions;         ///< [n] class index (binary, multi-class)
  std::vector<int32_t> weights;       ///< [n] how often each case counts; empty: once
  Ranking pooled;                     ///< multi-label: all questions as one
};
/// Checks the predictions (see Predictions::check) and prepares them.
Scored score(const Predictions& predictions);

/// Counts case i weights[i] times from now on: what a replicate of a bootstrap asks every metric of the
/// catalogue. Nothing is sorted again.
void weigh(Scored& scored, std::span<const int32_t> weights);

/// A named metric. In binary mode it is `of_question` of the positive class. With k classes or
/// labels it is the joint function where there is one, and otherwise the mean of `of_question` over
/// the classes for which that is defined (macro average); the note of the value names the classes
/// left out.
struct Metric {
  std::string_view name;
  std::string_view help;
  Goal goal = kHigher;
  MetricValue (*of_question)(const Question&) = nullptr;
  MetricValue (*multiclass)(const Scored&) = nullptr;
  MetricValue (*multilabel)(const Scored&) = nullptr;

  bool applies(Mode mode) const;
  bool has_classes(Mode mode) const;  ///< whether it also has a value per class
  MetricValue operator()(const Scored& scored) const;
};

/// The mean over the classes for which a metric is defined; those left out are named in its note. `of_classes`: of each
/// question.
MetricValue macro_average(std::span<const MetricValue> of_classes,
                          const std::vector<Question>& questions);

/// In the order of every report.
std::span<const Metric> catalogue();

/// Throws an Error (config) that lists the known names.
const Metric& metric(std::string_view name);

/// The short way, for one metric.
MetricValue compute(std::string_view name, const Predictions& predictions);

}  // namespace fovea::metrics
