// Metrics that ask whether a probability means what it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// A probability of exactly 0 or 1 is moved inside by this much before its logarithm is taken, as
/// scikit-learn does for doubles: the machine epsilon, so the worst loss of one case is 36.04.
inline constexpr double kLogLossEpsilon = 2.220446049250313e-16;

/// Mean of -log(probability of what is true). probabilities [n] of the positive class, in [0, 1];
/// labels [n], 0 or 1. NaN, or a number outside [0, 1], is refused with an Error here and below.
/// weights [n], here and below: how often a case counts; empty: once.
MetricValue log_loss(std::span<const double> probabilities, std::span<const uint8_t> labels,
                     std::span<const int32_t> weights = {});
/// The same for k classes: probabilities [n, k], labels [n] class indices.
MetricValue log_loss(std::span<const double> probabilities, std::span<const int> labels,
                     size_t classes, std::span<const int32_t> weights = {});

/// Binary Brier score: mean of (p - y)^2, in [0, 1].
MetricValue brier(std::span<const double> probabilities, std::span<const uint8_t> labels,
                  std::span<const int32_t> weights = {});
/// Brier's own (1950) definition for k classes: the squares are summed over the classes, so it lies
/// in [0, 2] and is, for two classes, twice the binary score.
MetricValue brier(std::span<const double> probabilities, std::span<const int> labels,
                  size_t classes, std::span<const int32_t> weights = {});

/// The cases whose probability lies in (low, high] (the first bin holds 0 as well).
struct ReliabilityBin {
  double low = 0;
  double high = 0;
  int64_t cases = 0;
  double mean_probability = 0;  ///< 0 in an empty bin, as the next
  double observed = 0;          ///< the share of the cases that are positive (or right)
};

inline constexpr size_t kReliabilityBins = 15;

/// Equal-width bins; `happened` is 1 where the event that got the probability came true.
std::vector<ReliabilityBin> reliability(std::span<const double> probabilities,
                                        std::span<const uint8_t> happened,
                                        size_t bins = kReliabilityBins,
                                        std::span<const int32_t> weights = {});

/// Bins of about equal numbers of cases; equal probabilities are in one bin, so there may be fewer.
std::vector<ReliabilityBin> reliability_by_mass(std::span<const double> probabilities,
                                                std::span<const uint8_t> happened,
                                                size_t bins = kReliabilityBins,
                                                std::span<const int32_t> weights = {});

/// Expected calibration error: mean over cases of |observed - mean probability| of their bin
/// (Naeini 2015, Guo 2017).
MetricValue ece(std::span<const ReliabilityBin> bins);
/// The largest of these differences, over the bins that hold a case.
MetricValue mce(std::span<const ReliabilityBin> bins);

/// brier = reliability - resolution + uncertainty + within (Murphy 1973). `within` is what the bins hide: 0
/// where all probabilities of a bin are equal (Stephenson, Coelho and Jolliffe 2008).
struct BrierParts {
  MetricValue reliability;  ///< how far the bins' probabilities are from what happened; 0 is best
  MetricValue resolution;   ///< how far what happened in the bins is from the prevalence
  MetricValue uncertainty;  ///< prevalence (1 - prevalence)
  MetricValue within;
};
BrierParts brier_parts(std::span<const double> probabilities, std::span<const uint8_t> labels,
                       std::span<const ReliabilityBin> bins);

}  // namespace fovea::metrics
