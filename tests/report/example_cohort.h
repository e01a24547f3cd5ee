// Cases that never were, and metrics of them as report.json has them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "fovea/metrics/interval.h"
#include "fovea/metrics/metric_value.h"
#include "fovea/metrics/predictions.h"

namespace fovea::test {

using Json = nlohmann::ordered_json;

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

inline Json bounds(const std::string& method, const metrics::Interval& interval) {
  Json json{{"method", method}, {"low", nullptr}, {"high", nullptr}};
  if (interval.defined()) {
    json["low"] = interval.low;
    json["high"] = interval.high;
  } else {
    json["undefined"] = interval.why_undefined;
  }
  return json;
}

/// Stands for a bootstrap: as wide as one would be, more or less.
inline metrics::Interval about(double value, double n, double scale = 1) {
  const double half = scale * 1.96 * std::sqrt(std::max(value * (1 - value), 0.02) / n);
  return {std::max(value - half * 1.04, 0.0), std::min(value + half * 0.96, 1.0)};
}

inline Json figure(const std::string& name, const metrics::MetricValue& value, double n) {
  const bool lower = name == "log_loss" || name == "brier" || name == "ece";
  Json json{{"name", name}, {"goal", lower ? "lower" : "higher"}, {"value", nullptr}};
  const bool share = name == "sensitivity" || name == "specificity" || name == "ppv" ||
                     name == "npv" || name == "accuracy";
  if (value.defined())
    json["value"] = value.value;
  else
    json["undefined"] = value.why_undefined;
  if (!value.note.empty()) json["note"] = value.note;
  json["n"] = static_cast<int64_t>(n);
  if (!value.defined()) {
    json["interval"] = bounds("none", metrics::Interval::undefined(value.why_undefined));
  } else if (share) {
    json["interval"] = bounds("Wilson", metrics::wilson(std::round(value.value * n), n));
  } else {
    json["interval"] = bounds("bootstrap of cases, BCa", about(value.value, n, 0.8));
    json["also"] =
        Json::array({bounds("bootstrap of cases, percentile", about(value.value, n, 0.83))});
  }
  return json;
}

}  // namespace fovea::test
