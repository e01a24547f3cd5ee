#include "fovea/metrics/calibration.h"

#include <algorithm>
#include <cmath>

#include "metrics/check.h"

namespace fovea::metrics {
namespace {

double surprise(double probability) {
  return -std::log(std::clamp(probability, kLogLossEpsilon, 1 - kLogLossEpsilon));
}

MetricValue mean(double sum, size_t cases) {
  return ratio(sum, static_cast<double>(cases), "no cases");
}

}  // namespace

MetricValue log_loss(std::span<const double> probabilities, std::span<const uint8_t> labels) {
  check_sizes("log loss: labels, one per probability", labels.size(), probabilities.size());
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    check_probability("log loss", probabilities[i], i);
    check_label("log loss", labels[i], i);
    sum += surprise(labels[i] ? probabilities[i] : 1 - probabilities[i]);
  }
  return mean(sum, labels.size());
}

MetricValue log_loss(std::span<const double> probabilities, std::span<const int> labels,
                     size_t classes) {
  check_sizes("log loss: probabilities, one per case and class", probabilities.size(),
              labels.size() * classes);
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    check_class("log loss", labels[i], classes, i);
    const double truth = probabilities[i * classes + static_cast<size_t>(labels[i])];
    check_probability("log loss", truth, i);
    sum += surprise(truth);
  }
  return mean(sum, labels.size());
}

MetricValue brier(std::span<const double> probabilities, std::span<const uint8_t> labels) {
  check_sizes("Brier score: labels, one per probability", labels.size(), probabilities.size());
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    check_probability("Brier score", probabilities[i], i);
    check_label("Brier score", labels[i], i);
    const double miss = probabilities[i] - labels[i];
    sum += miss * miss;
  }
  return mean(sum, labels.size());
}

MetricValue brier(std::span<const double> probabilities, std::span<const int> labels,
                  size_t classes) {
  check_sizes("Brier score: probabilities, one per case and class", probabilities.size(),
              labels.size() * classes);
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    check_class("Brier score", labels[i], classes, i);
    for (size_t k = 0; k < classes; ++k) {
      const double probability = probabilities[i * classes + k];
      check_probability("Brier score", probability, i);
      const double miss = probability - (static_cast<size_t>(labels[i]) == k ? 1 : 0);
      sum += miss * miss;
    }
  }
  return mean(sum, labels.size());
}

std::vector<ReliabilityBin> reliability(std::span<const double> probabilities,
                                        std::span<const uint8_t> happened, size_t bins) {
  check_sizes("reliability: outcomes, one per probability", happened.size(), probabilities.size());
  std::vector<ReliabilityBin> result(bins);
  std::vector<double> upper_edges(bins);
  for (size_t b = 0; b < bins; ++b) {
    result[b].low = static_cast<double>(b) / static_cast<double>(bins);
    result[b].high = upper_edges[b] = static_cast<double>(b + 1) / static_cast<double>(bins);
  }
  for (size_t i = 0; i < happened.size(); ++i) {
    check_probability("reliability", probabilities[i], i);
    check_label("reliability", happened[i], i);
    // The first bin whose upper edge reaches the probability; the last edge is exactly 1.
    const auto edge = std::lower_bound(upper_edges.begin(), upper_edges.end(), probabilities[i]);
    ReliabilityBin& bin = result[static_cast<size_t>(edge - upper_edges.begin())];
    bin.cases += 1;
    bin.mean_probability += probabilities[i];
    bin.observed += happened[i];
  }
  for (ReliabilityBin& bin : result) {
    if (bin.cases == 0) continue;
    bin.mean_probability /= static_cast<double>(bin.cases);
    bin.observed /= static_cast<double>(bin.cases);
  }
  return result;
}

MetricValue ece(std::span<const ReliabilityBin> bins) {
  double sum = 0;
  int64_t cases = 0;
  for (const ReliabilityBin& bin : bins) {
    sum += static_cast<double>(bin.cases) * std::abs(bin.observed - bin.mean_probability);
    cases += bin.cases;
  }
  return ratio(sum, static_cast<double>(cases), "no cases");
}

}  // namespace fovea::metrics
