// Seeded evaluations of each kind for tests.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "fovea/core/random.h"
#include "fovea/metrics/entities.h"
#include "fovea/metrics/predictions.h"
#include "fovea/metrics/regression.h"

namespace fovea::metrics::test {

inline std::string patient(size_t i, size_t cases_each) {
  return "p" + std::to_string(i / cases_each);
}

/// A model that is better than chance; three classes or labels but in binary mode.
inline Predictions drawn(Mode mode, size_t cases, size_t cases_each, uint64_t seed = 1,
                         double skill = 1) {
  Random random(seed, Purpose::sample);
  Predictions all;
  all.mode = mode;
  all.classes = mode == Mode::binary ? std::vector<std::string>{"normal", "ill"}
                                     : std::vector<std::string>{"a", "b", "c"};
  const size_t k = all.width();
  for (size_t i = 0; i < cases; ++i) {
    all.ids.push_back(std::to_string(i));
    all.groups.push_back(patient(i, cases_each));
    const auto truth = static_cast<size_t>(random.below(static_cast<int64_t>(k)));
    std::vector<double> scores;
    double sum = 0;
    for (size_t c = 0; c < k; ++c) {
      const bool has = mode == Mode::multilabel ? random.chance(0.4) : c == truth;
      if (mode == Mode::multilabel) all.labels.push_back(has);
      scores.push_back(0.05 + random.uniform() + 0.4 * skill * has);
      sum += scores.back();
    }
    if (mode != Mode::multilabel) all.labels.push_back(static_cast<int>(truth));
    for (const double one : scores)
      all.probabilities.push_back(mode == Mode::multilabel ? one / (1.1 + 0.4 * skill) : one / sum);
  }
  return all;
}

inline Numbers drawn_numbers(size_t cases, uint64_t seed = 1) {
  Random random(seed, Purpose::sample);
  Numbers all;
  for (size_t i = 0; i < cases; ++i) {
    all.ids.push_back(std::to_string(i));
    all.targets.push_back(std::round(10 * random.normal()));  // with ties
    all.predicted.push_back(std::round(all.targets.back() + 5 * random.normal()));
  }
  return all;
}

inline std::vector<TaggedText> drawn_texts(size_t cases, uint64_t seed = 1) {
  Random random(seed, Purpose::sample);
  std::vector<TaggedText> all(cases);
  for (TaggedText& text : all) {
    text.tokens = 20;
    text.right_tokens = 12 + random.below(9);
    for (int64_t at = 0; at < 5; ++at) {
      const Entity entity{4 * at, 4 * at + 2, static_cast<size_t>(random.below(2))};
      if (random.chance(0.6)) text.truth.push_back(entity);
      if (random.chance(0.6)) text.found.push_back(entity);
    }
  }
  return all;
}

/// Probabilities and what came true.
struct Sample {
  std::vector<double> probabilities;
  std::vector<uint8_t> labels;
};

/// Labels that follow logistic(a + b log odds(p)).
inline Sample distorted(double a, double b, size_t cases) {
  Random random(5, Purpose::sample);
  Sample sample;
  for (size_t i = 0; i < cases; ++i) {
    const double p = random.uniform(0.02, 0.98);
    const double logit = a + b * std::log(p / (1 - p));
    sample.probabilities.push_back(p);
    sample.labels.push_back(random.chance(1 / (1 + std::exp(-logit))));
  }
  return sample;
}

}  // namespace fovea::metrics::test
