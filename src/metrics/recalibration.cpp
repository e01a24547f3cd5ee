#include "fovea/metrics/recalibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <vector>

#include "metrics/check.h"

namespace fovea::metrics {
namespace {

struct Line {
  double a, b;
};

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

/// The line a + b x of the largest likelihood, which has one maximum: by Newton's
/// method, whose steps are halved until they gain. NaN where that does not end.
Line fit_line(std::span<const double> x, std::span<const uint8_t> labels) {
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
    if (size < 1e-6 && size >= last) return {a, b};
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
  return {std::nan(""), std::nan("")};
}

/// The variances of a and b of a fitted line, of which the first `free` were fitted: [a], or [a, b].
std::array<double, 2> variances(const Line& line, std::span<const double> x,
                                std::span<const uint8_t> labels, std::span<const uint32_t> clusters,
                                int free) {
  double aa = 0, ab = 0, bb = 0;  // the information
  struct Score {
    double a = 0, b = 0;
  };
  std::unordered_map<uint32_t, Score> scores;  // of each patient
  for (size_t i = 0; i < x.size(); ++i) {
    const double logit = line.a + line.b * x[i];
    const double spread = logistic(logit) * logistic(-logit), miss = missed(logit, labels[i]);
    aa += spread;
    ab += spread * x[i];
    bb += spread * x[i] * x[i];
    if (clusters.empty()) continue;
    Score& score = scores[clusters[i]];
    score.a += miss;
    score.b += miss * x[i];
  }
  // The inverse of the information; of the intercept alone its first number.
  const double determinant = free == 1 ? aa : aa * bb - ab * ab;
  const double iaa = free == 1 ? 1 / aa : bb / determinant;
  const double iab = free == 1 ? 0 : -ab / determinant, ibb = free == 1 ? 0 : aa / determinant;
  if (clusters.empty()) return {iaa, ibb};
  const auto patients = static_cast<double>(scores.size()), n = static_cast<double>(x.size());
  if (patients < 2 || n <= free) return {std::nan(""), std::nan("")};
  std::array<double, 2> sums{};
  for (const auto& [patient, score] : scores) {
    sums[0] += std::pow(iaa * score.a + iab * score.b, 2);
    sums[1] += std::pow(iab * score.a + ibb * score.b, 2);
  }
  const double factor = patients / (patients - 1) * (n - 1) / (n - free);
  return {factor * sums[0], factor * sums[1]};
}

Interval wald(double value, double variance) {
  if (!std::isfinite(variance)) return Interval::undefined("one patient");
  const double reach = errors_of_level() * std::sqrt(variance);
  return {value - reach, value + reach};
}

}  // namespace

Recalibration recalibrate(std::span<const double> probabilities, std::span<const uint8_t> labels,
                          std::span<const uint32_t> clusters) {
  check_sizes("recalibration: labels, one per probability", labels.size(), probabilities.size());
  if (!clusters.empty()) {
    check_sizes("recalibration: patients, one per probability", clusters.size(), labels.size());
    check_clusters(clusters, labels.size());
  }
  const auto undefined = [](const std::string& why) {
    return Recalibration{MetricValue::undefined(why), MetricValue::undefined(why),
                         Interval::undefined(why), Interval::undefined(why)};
  };
  std::vector<double> x;
  std::vector<uint8_t> y;
  std::vector<uint32_t> patients;
  double least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY};  // by label
  for (size_t i = 0; i < labels.size(); ++i) {
    const double p = probabilities[i];
    check_probability("recalibration", p, i);
    check_label("recalibration", labels[i], i);
    if (p == (labels[i] ? 0 : 1))
      return undefined(
          fmt::format("a case with probability {} is {}: the model was certain, and wrong", p,
                      labels[i] ? "positive" : "negative"));
    if (p == 0 || p == 1) continue;
    x.push_back(std::log(p) - std::log1p(-p));
    y.push_back(labels[i]);
    if (!clusters.empty()) patients.push_back(clusters[i]);
    least[labels[i]] = std::min(least[labels[i]], x.back());
    most[labels[i]] = std::max(most[labels[i]], x.back());
  }
  if (x.empty()) return undefined(labels.empty() ? "no cases" : "all probabilities are 0 or 1");
  const auto positives = std::ranges::count(y, 1);
  if (const char* missing = missing_class(positives, std::ssize(y) - positives))
    return undefined(missing);
  Recalibration fitted;
  fitted.intercept = fit_intercept(x, y);
  fitted.intercept_interval =
      wald(fitted.intercept.value, variances({fitted.intercept.value, 1}, x, y, patients, 1)[0]);
  if (std::min(least[0], least[1]) == std::max(most[0], most[1])) {
    fitted.slope = MetricValue::undefined("all probabilities are equal");
  } else if (most[0] <= least[1] || most[1] <= least[0]) {
    fitted.slope =
        MetricValue::undefined("the probabilities separate the classes: no slope is steep enough");
  } else {
    const Line line = fit_line(x, y);
    fitted.slope = std::isnan(line.b) ? MetricValue::undefined("the fit did not converge")
                                      : MetricValue(line.b);
    if (fitted.slope.defined())
      fitted.slope_interval = wald(line.b, variances(line, x, y, patients, 2)[1]);
  }
  if (!fitted.slope.defined())
    fitted.slope_interval = Interval::undefined(fitted.slope.why_undefined);
  return fitted;
}

}  // namespace fovea::metrics
