// The plots of an evaluation and of a training run, each a stand-alone SVG document.
//
// `subtitle` says what was evaluated, e.g. "test · n = 624 (390 pneumonia)"; it stands under the
// title.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/metrics/calibration.h"
#include "fovea/metrics/catalogue.h"

namespace fovea::report {

/// One curve in binary mode, with the operating point; otherwise one per class, and their mean
/// (macro). The legend gives each area, which equals the metric `auc`. Where no class has an area,
/// the plot says why.
std::string roc_curve_svg(const metrics::Scored& scored, std::string_view subtitle);

/// The step-wise curve whose area is the average precision, and the prevalence (what guessing
/// reaches) in binary mode.
std::string precision_recall_svg(const metrics::Scored& scored, std::string_view subtitle);

/// Counts and percentages of the row (of the true class), shaded by the latter.
std::string confusion_matrix_svg(const metrics::ConfusionMatrix& matrix,
                                 std::span<const std::string> classes, std::string_view subtitle);

/// Observed frequency against mean probability per bin, with the number of cases of each bin below.
/// `event` is what the probability is of: "pneumonia", "the class decided for".
std::string reliability_svg(std::span<const metrics::ReliabilityBin> bins, std::string_view event,
                            std::string_view subtitle);

/// Net benefit against the threshold probability, beside treating all and treating none (Vickers and Elkin
/// 2006).
std::string net_benefit_svg(const metrics::Question& question, std::string_view subtitle);

/// Horizontal bars, the longest first, at most 40 of them: how much each part of an input counted.
std::string weights_svg(std::span<const std::pair<std::string, double>> weights,
                        std::string_view title, std::string_view subtitle);

/// A word of a text and how much it counted.
struct ShadedWord {
  size_t begin, end;  ///< bytes of the text
  double weight;
};

/// The text as it was written, each word on a ground that is the darker the more it counted. `words`
/// in the order of the text, without overlaps.
std::string words_svg(std::string_view text, std::span<const ShadedWord> words,
                      std::string_view title, std::string_view subtitle);

/// One channel of a series.
struct Trace {
  std::string name;
  std::vector<double> values;  ///< of each time step
};

/// The channels below each other, at most 8; the ground of a time step is the darker the more it
/// counted. `weights`: of each time step.
std::string traces_svg(std::span<const Trace> traces, std::span<const double> weights,
                       std::string_view title, std::string_view subtitle);

/// One value of metrics.csv.
struct HistoryRow {
  int64_t epoch;
  std::string split;   ///< "train", "val"
  std::string metric;  ///< "loss", "auc"
  double value;        ///< NaN where undefined
};

/// The loss above, `metric` below, one line per split; `best_epoch` is marked (-1: none). Without
/// rows of `metric` the loss stands alone.
std::string learning_curves_svg(std::span<const HistoryRow> history, std::string_view metric,
                                int64_t best_epoch, std::string_view subtitle);

}  // namespace fovea::report
