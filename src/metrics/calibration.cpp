#include "fovea/metrics/calibration.h"

#include <fmt/format.h>

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

/// Cases put into the bins whose upper edges these are: each into the first that reaches it.
std::vector<ReliabilityBin> fill_bins(std::span<const double> upper_edges,
                                      std::span<const double> probabilities,
                                      std::span<const uint8_t> happened,
                                      std::span<const int32_t> weights) {
  std::vector<ReliabilityBin> bins(upper_edges.size());
  for (size_t b = 0; b < bins.size(); ++b) {
    bins[b].low = b == 0 ? 0 : upper_edges[b - 1];
    bins[b].high = upper_edges[b];
  }
  for (size_t i = 0; i < happened.size(); ++i) {
    const int32_t weight = weight_of(weights, i);
    if (weight == 0) continue;
    const auto edge = std::ranges::lower_bound(upper_edges, probabilities[i]);
    ReliabilityBin& bin = bins[static_cast<size_t>(edge - upper_edges.begin())];
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

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// label - logistic(logit), without the difference of two numbers near 1.
double missed(double logit, uint8_t label) { return label ? logistic(-logit) : -logistic(logit); }

/// The a for which a + x has the largest likelihood. What it misses on the whole falls with a: Newton's
/// steps, within an interval that shrinks around its zero.
double fit_intercept(std::span<const double> x, std::span<const uint8_t> labels) {
  double low = -800, high = 800, a = 0;  // x lies within 745 of 0
  for (int step = 0; step < 200; ++step) {
    double miss = 0, spread = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      miss += missed(a + x[i], labels[i]);
      spread += logistic(a + x[i]) * logistic(-a - x[i]);
    }
    (miss > 0 ? low : high) = a;
    double next = a + miss / spread;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (std::abs(next - a) <= 1e-15 * std::abs(a) || next == low || next == high) return next;
    a = next;
  }
  return a;
}

double log_likelihood(double a, double b, std::span<const double> x,
                      std::span<const uint8_t> labels) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double logit = a + b * x[i], towards = labels[i] ? -logit : logit;
    sum -= std::max(towards, 0.0) + std::log1p(std::exp(-std::abs(towards)));
  }
  return sum;
}

/// The b for which a + b x has, with some a, the largest likelihood, which has one maximum: by Newton's
/// method, whose steps are halved until they gain. NaN where that does not end.
double fit_slope(std::span<const double> x, std::span<const uint8_t> labels) {
  double a = 0, b = 0, reached = log_likelihood(a, b, x, labels), last = INFINITY;
  for (int step = 0; step < 500; ++step) {
    double da = 0, db = 0, aa = 0, ab = 0, bb = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double logit = a + b * x[i], miss = missed(logit, labels[i]);
      const double spread = logistic(logit) * logistic(-logit);
      da += miss;
      db += miss * x[i];
      aa += spread;
      ab += spread * x[i];
      bb += spread * x[i] * x[i];
    }
    const double determinant = aa * bb - ab * ab;
    const double to_a = (bb * da - ab * db) / determinant, to_b = (aa * db - ab * da) / determinant;
    const double size = std::max(std::abs(to_a), std::abs(to_b));
    if (!std::isfinite(size)) break;
    // Near the maximum steps shrink with their squares, until they are what the sums leave.
    if (size < 1e-6 && size >= last) return b;
    last = size;
    for (double share = 1; share > 1e-10; share /= 2) {
      const double there = log_likelihood(a + share * to_a, b + share * to_b, x, labels);
      if (there < reached && size >= 1e-6) continue;
      a += share * to_a;
      b += share * to_b;
      reached = there;
      break;
    }
  }
  return std::nan("");
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
  return fill_bins(upper_edges, probabilities, happened, weights);
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
  return fill_bins(upper_edges, probabilities, happened, weights);
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

Recalibration recalibrate(std::span<const double> probabilities, std::span<const uint8_t> labels) {
  check_outcomes(probabilities, labels, {});
  const auto undefined = [](const std::string& why) {
    return Recalibration{MetricValue::undefined(why), MetricValue::undefined(why)};
  };
  std::vector<double> x;
  std::vector<uint8_t> y;
  double least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY};  // by label
  for (size_t i = 0; i < labels.size(); ++i) {
    const double p = probabilities[i];
    if (p == (labels[i] ? 0 : 1))
      return undefined(
          fmt::format("a case with probability {} is {}: the model was certain, and wrong", p,
                      labels[i] ? "positive" : "negative"));
    if (p == 0 || p == 1) continue;
    x.push_back(std::log(p) - std::log1p(-p));
    y.push_back(labels[i]);
    least[labels[i]] = std::min(least[labels[i]], x.back());
    most[labels[i]] = std::max(most[labels[i]], x.back());
  }
  if (x.empty()) return undefined(labels.empty() ? kNoCases : "all probabilities are 0 or 1");
  const auto positives = std::ranges::count(y, 1);
  if (const char* missing = missing_class(positives, std::ssize(y) - positives))
    return undefined(missing);
  Recalibration fitted;
  fitted.intercept = fit_intercept(x, y);
  if (std::min(least[0], least[1]) == std::max(most[0], most[1])) {
    fitted.slope = MetricValue::undefined("all probabilities are equal");
  } else if (most[0] <= least[1] || most[1] <= least[0]) {
    fitted.slope =
        MetricValue::undefined("the probabilities separate the classes: no slope is steep enough");
  } else {
    const double slope = fit_slope(x, y);
    fitted.slope =
        std::isnan(slope) ? MetricValue::undefined("the fit did not converge") : MetricValue(slope);
  }
  return fitted;
}

}  // namespace fovea::metrics
