// The metrics and their statistics on 10,000 drawn data sets, a tenth of them degenerate, against what
// scikit-learn, SciPy, statsmodels and the published formulas say: tests/reference/make_statistics.py.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "fovea/metrics/calibration.h"
#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/decision.h"
#include "fovea/metrics/delong.h"
#include "fovea/metrics/recalibration.h"
#include "fovea/metrics/significance.h"
#include "support/test_files.h"

namespace fovea::metrics {
namespace {

/// SplitMix64, as in make_statistics.py.
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}
  uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  uint64_t below(uint64_t n) { return bits() % n; }

 private:
  uint64_t state_;
};

struct DataSet {
  std::vector<uint8_t> labels;
  std::vector<double> a, b;
  std::vector<uint32_t> patients;
};

DataSet data_set(uint64_t seed) {
  Draw draw(seed);
  const uint64_t kind = seed % 50;
  const uint64_t n = kind == 0 ? 1 : kind == 1 ? 200 + draw.below(200) : 2 + draw.below(60);
  constexpr double kLevels[] = {0, 4, 10, 100};
  const double levels = kLevels[draw.below(4)];
  const double prevalence = 0.1 + 0.8 * draw.uniform();
  const double signal = 1.5 * draw.uniform();
  DataSet set;
  for (uint64_t i = 0; i < n; ++i) {
    uint8_t label = draw.uniform() < prevalence;
    if (kind == 2 || kind == 3) label = static_cast<uint8_t>(kind - 2);
    for (std::vector<double>* scores : {&set.a, &set.b}) {
      const double first = draw.uniform(), second = draw.uniform();
      double p = (first + signal * label * second) / (1 + signal);
      if (levels > 0) p = std::floor(p * levels) / levels;
      if (kind == 4) p = 0.25;
      if (kind == 5 || kind == 6) p = p >= 0.5;
      scores->push_back(p);
    }
    const bool another = i == 0 || draw.below(3) == 0;
    set.patients.push_back(i == 0 ? 0 : set.patients.back() + another);
    set.labels.push_back(label);
  }
  return set;
}

Predictions predictions_of(const DataSet& set) {
  Predictions predictions;
  predictions.classes = {"no", "yes"};
  for (size_t i = 0; i < set.labels.size(); ++i) {
    predictions.ids.push_back(std::to_string(i));
    predictions.probabilities.insert(predictions.probabilities.end(), {1 - set.a[i], set.a[i]});
    predictions.labels.push_back(set.labels[i]);
  }
  return predictions;
}

double or_nan(const MetricValue& value) { return value.defined() ? value.value : NAN; }

std::map<std::string, double> ours(const DataSet& set) {
  std::map<std::string, double> found;
  const Scored scored = score(predictions_of(set));
  for (const Metric& metric : catalogue())
    if (metric.applies(Mode::binary)) found[std::string(metric.name)] = or_nan(metric(scored));
  const Question& question = scored.questions[0];
  const auto bins = reliability(set.a, set.labels);
  const BrierParts parts = brier_parts(set.a, set.labels, bins);
  found["mce"] = or_nan(mce(bins));
  found["reliability"] = or_nan(parts.reliability);
  found["resolution"] = or_nan(parts.resolution);
  found["uncertainty"] = or_nan(parts.uncertainty);
  found["ece_by_mass"] = or_nan(ece(reliability_by_mass(set.a, set.labels)));
  found["delong"] = or_nan(estimate_auc(set.a, set.labels).variance);
  found["p_delong"] = or_nan(compare_auc(set.a, set.b, set.labels).p);
  found["obuchowski"] = or_nan(estimate_auc(set.a, set.labels, set.patients).variance);
  const Interval share = wilson(static_cast<double>(question.counts.true_positives),
                                static_cast<double>(question.counts.positives()));
  found["wilson_low"] = share.low;
  found["wilson_high"] = share.high;
  int64_t only_a = 0, only_b = 0;
  for (size_t i = 0; i < set.labels.size(); ++i) {
    const bool right_a = (set.a[i] >= 0.5) == (set.labels[i] == 1);
    const bool right_b = (set.b[i] >= 0.5) == (set.labels[i] == 1);
    only_a += right_a && !right_b;
    only_b += right_b && !right_a;
  }
  found["p_mcnemar"] = or_nan(mcnemar(only_a, only_b));
  const Recalibration line = recalibrate(set.a, set.labels);
  found["slope"] = or_nan(line.slope);
  found["intercept"] = or_nan(line.intercept);
  const OperatingPoint point = choose_point(question.ranking, {}, "val");
  const bool both = question.counts.positives() > 0 && question.counts.negatives() > 0;
  found["youden"] = both ? point.threshold : NAN;
  const std::vector<double> at{0.3};
  found["net_benefit"] = decision_curve(question.ranking, at).at(0).model;
  found["lr_positive"] = or_nan(positive_likelihood_ratio(question.counts));
  return found;
}

TEST(Agreement, OfEveryNumberOnTenThousandDataSets) {
  const std::string file = test::read_text(test::reference("statistics.f64"));
  const size_t newline = file.find('\n');
  const auto head = nlohmann::json::parse(file.substr(0, newline));
  const auto columns = head["columns"].get<std::vector<std::string>>();
  const size_t sets = head["sets"];
  ASSERT_EQ(file.size(), newline + 1 + sets * columns.size() * sizeof(double));
  static_assert(std::endian::native == std::endian::little);
  const char* at = file.data() + newline + 1;
  size_t agreeing = 0;
  std::map<std::string, int> defined;
  for (size_t seed = 0; seed < sets; ++seed) {
    const auto found = ours(data_set(seed));
    bool agrees = true;
    for (const std::string& column : columns) {
      double wanted;
      std::memcpy(&wanted, at, sizeof wanted);
      at += sizeof wanted;
      const double value = found.at(column);
      defined[column] += !std::isnan(wanted);
      // Relative; what lies between 0 and 1 is compared on that scale, since it is made of terms that
      // cancel. An area is a fraction of whole numbers.
      const double scale = column == "auc" ? 1e-3 : std::max(1.0, std::abs(wanted));
      const bool equal =
          std::isnan(wanted) ? std::isnan(value) : std::abs(value - wanted) <= 1e-12 * scale;
      if (!equal)
        ADD_FAILURE() << "set " << seed << ": " << column << " is " << value << ", wanted "
                      << wanted << ", apart " << value - wanted;
      agrees &= equal;
    }
    agreeing += agrees;
    if (seed + 1 - agreeing > 20) break;  // enough to read
  }
  std::printf("agreement: %zu/%zu\n", agreeing, sets);
  for (const std::string& column : columns)
    EXPECT_GT(defined[column], static_cast<int>(sets) / 4) << column << " was hardly compared";
}

}  // namespace
}  // namespace fovea::metrics
