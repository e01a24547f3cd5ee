#include "fovea/metrics/delong.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "metrics/check.h"

namespace fovea::metrics {
namespace {

/// Of one patient and two scores: the sums of what its cases add, less their share of the area.
struct Cluster {
  double positive_a = 0, positive_b = 0, negative_a = 0, negative_b = 0;
  bool has_positive = false, has_negative = false;
};

}  // namespace

Placements place(std::span<const double> scores, std::span<const uint8_t> labels) {
  check_sizes("labels of a ranking, one per score", labels.size(), scores.size());
  std::vector<uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  int64_t positives = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    check_not_nan("ranking", scores[i], i);
    check_label("ranking", labels[i], i);
    positives += labels[i];
  }
  const int64_t negatives = static_cast<int64_t>(scores.size()) - positives;
  Placements placements;
  if (const char* missing = missing_class(positives, negatives)) {
    placements.auc = MetricValue::undefined(missing);
    return placements;
  }
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return scores[a] < scores[b]; });
  placements.values.resize(scores.size());
  double pairs = 0;  // twice those in the right order
  int64_t positives_below = 0, negatives_below = 0;
  for (size_t first = 0; first < order.size();) {
    size_t end = first;
    int64_t tied_positives = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[first]]; ++end)
      tied_positives += labels[order[end]];
    const int64_t tied_negatives = static_cast<int64_t>(end - first) - tied_positives;
    const double below = static_cast<double>(2 * negatives_below + tied_negatives);
    const int64_t positives_above = positives - positives_below - tied_positives;
    const double above = static_cast<double>(2 * positives_above + tied_positives);
    for (size_t i = first; i < end; ++i)
      placements.values[order[i]] = labels[order[i]] ? below / 2 / static_cast<double>(negatives)
                                                     : above / 2 / static_cast<double>(positives);
    pairs += static_cast<double>(tied_positives) * below;
    positives_below += tied_positives;
    negatives_below += tied_negatives;
    first = end;
  }
  placements.auc = pairs / 2 / static_cast<double>(positives) / static_cast<double>(negatives);
  return placements;
}

MetricValue auc_covariance(const Placements& a, const Placements& b,
                           std::span<const uint8_t> labels, std::span<const uint32_t> clusters) {
  if (!a.auc.defined()) return MetricValue::undefined(a.auc.why_undefined);
  check_sizes("labels, one per placement", labels.size(), a.values.size());
  check_sizes("placements of a second score, one per placement of the first", b.values.size(),
              a.values.size());
  if (!clusters.empty()) check_clusters(clusters, labels.size());
  const size_t count = clusters.empty() ? labels.size() : std::ranges::max(clusters) + size_t{1};
  std::vector<Cluster> all(count);
  double positives = 0, negatives = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    Cluster& cluster = all[clusters.empty() ? i : clusters[i]];
    const double from_a = a.values[i] - a.auc.value, from_b = b.values[i] - b.auc.value;
    (labels[i] ? cluster.positive_a : cluster.negative_a) += from_a;
    (labels[i] ? cluster.positive_b : cluster.negative_b) += from_b;
    (labels[i] ? cluster.has_positive : cluster.has_negative) = true;
    (labels[i] ? positives : negatives) += 1;
  }
  double with_positive = 0, with_negative = 0, with_any = 0;
  double among_positives = 0, among_negatives = 0, between = 0;
  for (const Cluster& cluster : all) {
    with_positive += cluster.has_positive;
    with_negative += cluster.has_negative;
    with_any += cluster.has_positive || cluster.has_negative;
    among_positives += cluster.positive_a * cluster.positive_b;
    among_negatives += cluster.negative_a * cluster.negative_b;
    between += cluster.positive_a * cluster.negative_b + cluster.negative_a * cluster.positive_b;
  }
  if (with_positive < 2 || with_negative < 2) {
    const bool one_positive = with_positive < 2;
    if (clusters.empty())
      return MetricValue::undefined(one_positive ? "one positive case" : "one negative case");
    return MetricValue::undefined(one_positive ? "one patient with a positive case"
                                               : "one patient with a negative case");
  }
  return with_positive / (with_positive - 1) * among_positives / (positives * positives) +
         with_negative / (with_negative - 1) * among_negatives / (negatives * negatives) +
         with_any / (with_any - 1) * between / (positives * negatives);
}

AucEstimate estimate_auc(std::span<const double> scores, std::span<const uint8_t> labels,
                         std::span<const uint32_t> clusters) {
  const Placements placements = place(scores, labels);
  AucEstimate estimate{.auc = placements.auc,
                       .variance = auc_covariance(placements, placements, labels, clusters),
                       .interval = {}};
  estimate.interval = estimate.variance.defined()
                          ? logit_interval(estimate.auc.value, estimate.variance.value)
                          : Interval::undefined(estimate.variance.why_undefined);
  return estimate;
}

AucDifference compare_auc(std::span<const double> a, std::span<const double> b,
                          std::span<const uint8_t> labels, std::span<const uint32_t> clusters) {
  const Placements of_a = place(a, labels), of_b = place(b, labels);
  AucDifference result;
  if (!of_a.auc.defined()) {
    const std::string& why = of_a.auc.why_undefined;
    return {MetricValue::undefined(why), Interval::undefined(why), MetricValue::undefined(why),
            MetricValue::undefined(why)};
  }
  result.difference = of_a.auc.value - of_b.auc.value;
  // The variance of the difference is that of the differences of the placements.
  Placements apart{.values = of_a.values, .auc = result.difference};
  for (size_t i = 0; i < apart.values.size(); ++i) apart.values[i] -= of_b.values[i];
  const MetricValue variance = auc_covariance(apart, apart, labels, clusters);
  const std::string why = !variance.defined()     ? variance.why_undefined
                          : !(variance.value > 0) ? "the two order all cases alike"
                                                  : "";
  if (!why.empty()) {
    result.interval = Interval::undefined(why);
    result.z = result.p = MetricValue::undefined(why);
    return result;
  }
  const double error = std::sqrt(variance.value);
  const double reach = errors_of_level() * error;
  result.interval = {result.difference.value - reach, result.difference.value + reach};
  result.z = result.difference.value / error;
  result.p = two_sided_p(result.z.value);
  return result;
}

}  // namespace fovea::metrics
