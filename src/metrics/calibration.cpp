#include "fovea/metrics/calibration.h"

#include <algorithm>
#include <cmath>

#include "metrics/check.h"

namespace fovea::metrics {
namespace {

constexpr const char* kNoCases = "no cases";

double surprise(double probability) {
  return -std::log(std::clamp(probability, kLogLossEpsilon, 1 - kLogLossEpsilon));
}

/// The mean of what is added, each as often as its weight says; no weights: once.
class Mean {
 public:
  Mean(std::span<const int32_t> weights, size_t cases) : weights_(weights) {
    check_weights(weights, cases);
  }
  bool counts(size_t row) const { return weight_of(weights_, row) > 0; }
  void add(size_t row, double value) {
    const int32_t weight = weight_of(weights_, row);
    sum_ += weight * value;
    cases_ += weight;
  }
  operator MetricValue() const { return ratio(sum_, static_cast<double>(cases_), kNoCases); }

 private:
  std::span<const int32_t> weights_;
  double sum_ = 0;
  int64_t cases_ = 0;
};

/// Cases put into the bins whose upper edges these are: each into the first that reaches it, which `guess` (of
/// a probability) is at or beside.
template <class Guess>
std::vector<ReliabilityBin> fill_bins(std::span<const double> upper_edges,
                                      std::span<const double> probabilities,
                                      std::span<const uint8_t> happened,
                                      std::span<const int32_t> weights, Guess guess) {
  std::vector<ReliabilityBin> bins(upper_edges.size());
  for (size_t b = 0; b < bins.size(); ++b) {
    bins[b].low = b == 0 ? 0 : upper_edges[b - 1];
    bins[b].high = upper_edges[b];
  }
  for (size_t i = 0; i < happened.size(); ++i) {
    const int32_t weight = weight_of(weights, i);
    if (weight == 0) continue;
    size_t at = guess(probabilities[i]);
    while (probabilities[i] > upper_edges[at]) ++at;
    while (at > 0 && probabilities[i] <= upper_edges[at - 1]) --at;
    ReliabilityBin& bin = bins[at];
    bin.cases += weight;
    bin.mean_probability += weight * probabilities[i];
    bin.observed += weight * happened[i];
  }
  for (ReliabilityBin& bin : bins) {
    if (bin.cases == 0) continue;
    bin.mean_probability /= static_cast<double>(bin.cases);
    bin.observed /= static_cast<double>(bin.cases);
  }
  return bins;
}

void check_outcomes(std::span<const double> probabilities, std::span<const uint8_t> happened,
                    std::span<const int32_t> weights) {
  check_sizes("reliability: outcomes, one per probability", happened.size(), probabilities.size());
  check_weights(weights, happened.size());
  for (size_t i = 0; i < happened.size(); ++i) {
    check_probability("reliability", probabilities[i], i);
    check_label("reliability", happened[i], i);
  }
}

}  // namespace

MetricValue log_loss(std::span<const double> probabilities, std::span<const uint8_t> labels,
                     std::span<const int32_t> weights) {
  check_sizes("log loss: labels, one per probability", labels.size(), probabilities.size());
  Mean mean(weights, labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    check_probability("log loss", probabilities[i], i);
    check_label("log loss", labels[i], i);
    if (mean.counts(i)) mean.add(i, surprise(labels[i] ? probabilities[i] : 1 - probabilities[i]));
  }
  return mean;
}

MetricValue log_loss(std::span<const double> probabilities, std::span<const int> labels,
                     size_t classes, std::span<const int32_t> weights) {
  check_sizes("log loss: probabilities, one per case and class", probabilities.size(),
              labels.size() * classes);
  Mean mean(weights, labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    check_class("log loss", labels[i], classes, i);
    const double truth = probabilities[i * classes + static_cast<size_t>(labels[i])];
    check_probability("log loss", truth, i);
    if (mean.counts(i)) mean.add(i, surprise(truth));
  }
  return mean;
}

MetricValue brier(std::span<const double> probabilities, std::span<const uint8_t> labels,
                  std::span<const int32_t> weights) {
  check_sizes("Brier score: labels, one per probability", labels.size(), probabilities.size());
  Mean mean(weights, labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    check_probability("Brier score", probabilities[i], i);
    check_label("Brier score", labels[i], i);
    const double miss = probabilities[i] - labels[i];
    mean.add(i, miss * miss);
  }
  return mean;
}

MetricValue brier(std::span<const double> probabilities, std::span<const int> labels,
                  size_t classes, std::span<const int32_t> weights) {
  check_sizes("Brier score: probabilities, one per case and class", probabilities.size(),
              labels.size() * classes);
  Mean mean(weights, labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    check_class("Brier score", labels[i], classes, i);
    double squares = 0;
    for (size_t k = 0; k < classes; ++k) {
      const double probability = probabilities[i * classes + k];
      check_probability("Brier score", probability, i);
      const double miss = probability - (static_cast<size_t>(labels[i]) == k ? 1 : 0);
      squares += miss * miss;
    }
    mean.add(i, squares);
  }
  return mean;
}

std::vector<ReliabilityBin> reliability(std::span<const double> probabilities,
                                        std::span<const uint8_t> happened, size_t bins,
                                        std::span<const int32_t> weights) {
  check_outcomes(probabilities, happened, weights);
  std::vector<double> upper_edges(bins);  // the last one is exactly 1
  for (size_t b = 0; b < bins; ++b)
    upper_edges[b] = static_cast<double>(b + 1) / static_cast<double>(bins);
  // A search among the edges would take longer than all other metrics of a replicate together.
  return fill_bins(upper_edges, probabilities, happened, weights, [bins](double p) {
    return std::min(static_cast<size_t>(p * static_cast<double>(bins)), bins - 1);
  });
}

std::vector<ReliabilityBin> reliability_by_mass(std::span<const double> probabilities,
                                                std::span<const uint8_t> happened, size_t bins,
                                                std::span<const int32_t> weights) {
  check_outcomes(probabilities, happened, weights);
  if (probabilities.empty()) return {};
  std::vector<double> sorted(probabilities.begin(), probabilities.end());
  std::ranges::sort(sorted);
  std::vector<double> upper_edges;
  for (size_t b = 1; b <= bins; ++b)
    upper_edges.push_back(sorted[(sorted.size() * b + bins - 1) / bins - 1]);
  upper_edges.erase(std::unique(upper_edges.begin(), upper_edges.end()), upper_edges.end());
  return fill_bins(upper_edges, probabilities, happened, weights, [&](double p) {
    return static_cast<size_t>(std::ranges::lower_bound(upper_edges, p) - upper_edges.begin());
  });
}

MetricValue ece(std::span<const ReliabilityBin> bins) {
  double sum = 0;
  int64_t cases = 0;
  for (const ReliabilityBin& bin : bins) {
    sum += static_cast<double>(bin.cases) * std::abs(bin.observed - bin.mean_probability);
    cases += bin.cases;
  }
  return ratio(sum, static_cast<double>(cases), kNoCases);
}

MetricValue mce(std::span<const ReliabilityBin> bins) {
  double largest = -1;
  for (const ReliabilityBin& bin : bins)
    if (bin.cases > 0) largest = std::max(largest, std::abs(bin.observed - bin.mean_probability));
  return largest < 0 ? MetricValue::undefined(kNoCases) : MetricValue(largest);
}

BrierParts brier_parts(std::span<const double> probabilities, std::span<const uint8_t> labels,
                       std::span<const ReliabilityBin> bins) {
  const MetricValue whole = brier(probabilities, labels);
  BrierParts parts{whole, whole, whole, whole};
  if (!whole.defined()) return parts;
  double cases = 0, happened = 0, reliability = 0, resolution = 0;
  for (const ReliabilityBin& bin : bins) {
    cases += static_cast<double>(bin.cases);
    happened += static_cast<double>(bin.cases) * bin.observed;
  }
  const double prevalence = happened / cases;
  for (const ReliabilityBin& bin : bins) {
    const double share = static_cast<double>(bin.cases) / cases;
    reliability += share * std::pow(bin.mean_probability - bin.observed, 2);
    resolution += share * std::pow(bin.observed - prevalence, 2);
  }
  parts.reliability = reliability;
  parts.resolution = resolution;
  parts.uncertainty = prevalence * (1 - prevalence);
  parts.within = whole.value - (reliability - resolution + parts.uncertainty.value);
  return parts;
}

}  // namespace fovea::metrics
