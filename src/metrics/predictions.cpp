#include "fovea/metrics/predictions.h"

#include <fmt/format.h>

#include <unordered_set>

#include "fovea/core/error.h"
#include "metrics/check.h"

namespace fovea::metrics {

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::binary:
      return "binary";
    case Mode::multiclass:
      return "multiclass";
    case Mode::multilabel:
      return "multilabel";
  }
  return "";
}

size_t Predictions::distinct_groups() const {
  return std::unordered_set<std::string_view>(groups.begin(), groups.end()).size();
}

const OperatingPoint& Predictions::point(size_t label) const {
  static const OperatingPoint kDefault;
  if (points.empty()) return kDefault;
  return points.size() == 1 ? points[0] : points.at(label);
}

Predictions Predictions::part(std::span<const uint32_t> rows) const {
  Predictions some;
  some.mode = mode;
  some.classes = classes;
  some.positive = positive;
  some.points = points;
  const size_t k = width(), answers = mode == Mode::multilabel ? k : 1;
  for (const size_t row : rows) {
    some.ids.push_back(ids[row]);
    if (!groups.empty()) some.groups.push_back(groups[row]);
    some.probabilities.insert(some.probabilities.end(), &probabilities[row * k],
                              &probabilities[row * k] + k);
    some.labels.insert(some.labels.end(), &labels[row * answers], &labels[row * answers] + answers);
  }
  return some;
}

void Predictions::append(const Predictions& other) {
  if (other.mode != mode || other.classes != classes || other.positive != positive) {
    throw config_error(
        fmt::format("appending predictions: {} of {} classes to {} of {}; mode, classes and "
                    "positive class must agree",
                    name_of(other.mode), other.width(), name_of(mode), width()));
  }
  ids.insert(ids.end(), other.ids.begin(), other.ids.end());
  groups.insert(groups.end(), other.groups.begin(), other.groups.end());
  probabilities.insert(probabilities.end(), other.probabilities.begin(), other.probabilities.end());
  labels.insert(labels.end(), other.labels.begin(), other.labels.end());
}

void Predictions::check() const {
  constexpr const char* kDoing = "checking predictions";
  const size_t n = cases(), k = width();
  const bool per_label = mode == Mode::multilabel;
  if (k < (per_label ? 1u : 2u) || (mode == Mode::binary && (k != 2 || positive > 1))) {
    throw config_error(fmt::format("{}: {} mode with {} classes, positive class {}", kDoing,
                                   name_of(mode), k, positive));
  }
  if (points.size() > 1)
    check_sizes("operating points, one per label", points.size(), per_label ? k : 1);
  if (!groups.empty()) check_sizes("groups of the predictions, one per case", groups.size(), n);
  check_sizes("probabilities of the predictions, one per case and class", probabilities.size(),
              n * k);
  check_sizes(per_label ? "labels of the predictions, one per case and class"
                        : "labels of the predictions, one per case",
              labels.size(), per_label ? n * k : n);
  for (size_t i = 0; i < n * k; ++i) check_probability(kDoing, probabilities[i], i / k);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (per_label && labels[i] == kUnknown) continue;
    check_class(kDoing, labels[i], per_label ? 2 : k, per_label ? i / k : i);
  }
}

size_t decide(const Predictions& predictions, size_t row) {
  if (predictions.mode == Mode::binary) {
    const bool called =
        predictions.probability(row, predictions.positive) >= predictions.point().threshold;
    return called ? predictions.positive : 1 - predictions.positive;
  }
  size_t best = 0;
  for (size_t k = 1; k < predictions.width(); ++k) {
    if (predictions.probability(row, k) > predictions.probability(row, best)) best = k;
  }
  return best;
}

}  // namespace fovea::metrics
