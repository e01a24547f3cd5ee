// Cases that never were.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "fovea/metrics/predictions.h"

namespace fovea::test {

struct Cohort {
  metrics::Predictions predictions;
  std::vector<std::string> sex, site;
  std::vector<double> age;
};

/// Scores of sick cases lie higher; the second site is harder.
inline Cohort draw(size_t n, std::mt19937& random) {
  std::normal_distribution<double> normal;
  Cohort cohort;
  cohort.predictions.classes = {"normal", "pneumonia"};
  for (size_t i = 0; i < n; ++i) {
    const bool sick = random() % 8 < 5;
    const size_t site = random() % 10;
    const double logit = (sick ? 1.9 : -1.7) * (site < 3 ? 0.75 : 1.15) + 1.25 * normal(random);
    const double p = 1 / (1 + std::exp(-logit));
    cohort.predictions.ids.push_back(fmt::format("person{}_{:03}.jpeg", i % 3 == 0 ? 9 : 1, i));
    cohort.predictions.probabilities.insert(cohort.predictions.probabilities.end(), {1 - p, p});
    cohort.predictions.labels.push_back(sick ? 1 : 0);
    cohort.sex.push_back(i % 97 == 5 ? "not stated" : random() % 2 ? "female" : "male");
    cohort.site.push_back(site < 3 ? "Site B" : "Site A");
    cohort.age.push_back(std::clamp(48 + 19 * normal(random), 18.0, 94.0));
  }
  cohort.predictions.ids[0] = "<script>alert(1)</script>.png";
  cohort.predictions.ids[1] = "=HYPERLINK(\"x\").png";
  return cohort;
}

}  // namespace fovea::test
