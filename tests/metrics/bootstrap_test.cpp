#include "fovea/metrics/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "fovea/core/error.h"
#include "fovea/core/random.h"
#include "fovea/metrics/catalogue.h"

namespace fovea::metrics {
namespace {

/// The mean of `numbers`, weighted.
Statistic mean_of(const std::vector<double>& numbers) {
  return [&](std::span<const int32_t> weights, std::span<double> values) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < numbers.size(); ++i) {
      sum += weights[i] * numbers[i];
      count += weights[i];
    }
    values[0] = sum / count;
  };
}

std::vector<uint32_t> alone(size_t n) {
  std::vector<uint32_t> clusters(n);
  std::iota(clusters.begin(), clusters.end(), 0u);
  return clusters;
}

std::vector<double> normal_numbers(size_t n) {
  Random random(7, Purpose::sample);
  std::vector<double> numbers;
  for (size_t i = 0; i < n; ++i) numbers.push_back(random.normal());
  return numbers;
}

TEST(Bootstrap, OfAMeanHasTheKnownStandardError) {
  const std::vector<double> numbers = normal_numbers(400);
  const Resampled found = bootstrap(alone(400), 400, 1, [&] { return mean_of(numbers); })[0];
  double mean = 0, squares = 0;
  for (const double x : numbers) mean += x / 400;
  for (const double x : numbers) squares += (x - mean) * (x - mean) / 400;
  EXPECT_NEAR(found.value, mean, 1e-12);
  EXPECT_NEAR(found.standard_error, std::sqrt(squares / 400), 0.002);  // 2,000 replicates: 1.6 %
  EXPECT_NEAR(found.percentile.low, mean - 1.96 * std::sqrt(squares / 400), 0.01);
  EXPECT_NEAR(found.bca.high, mean + 1.96 * std::sqrt(squares / 400), 0.01);
}

TEST(Bootstrap, TakesAPatientWithAllItsCases) {
  const std::vector<double> numbers = normal_numbers(100);
  std::vector<double> thrice;
  std::vector<uint32_t> patients;
  for (uint32_t i = 0; i < 100; ++i)
    for (int k = 0; k < 3; ++k) {
      thrice.push_back(numbers[i]);
      patients.push_back(i);
    }
  const Resampled single = bootstrap(alone(100), 100, 1, [&] { return mean_of(numbers); })[0];
  const Resampled repeated = bootstrap(patients, 100, 1, [&] { return mean_of(thrice); })[0];
  EXPECT_NEAR(repeated.percentile.low, single.percentile.low,
              1e-12);  // the same patients were drawn
  EXPECT_NEAR(repeated.standard_error, single.standard_error, 1e-12);
  const Resampled as_cases = bootstrap(alone(300), 300, 1, [&] { return mean_of(thrice); })[0];
  EXPECT_LT(as_cases.standard_error, 0.65 * single.standard_error);
}

TEST(Bootstrap, DependsOnTheSeedAndNotOnTheThreads) {
  const std::vector<double> numbers = normal_numbers(50);
  const auto run = [&](uint64_t seed, int64_t threads) {
    return bootstrap(alone(50), 50, 1, [&] { return mean_of(numbers); },
                     {.replicates = 501, .seed = seed, .threads = threads})[0];
  };
  EXPECT_EQ(run(1, 1).bca.low, run(1, 4).bca.low);
  EXPECT_EQ(run(1, 1).standard_error, run(1, 3).standard_error);
  EXPECT_NE(run(1, 1).bca.low, run(2, 1).bca.low);
}

TEST(Bootstrap, SaysWhereThereIsNoInterval) {
  const std::vector<double> numbers{1};
  EXPECT_THAT(bootstrap(alone(1), 1, 1, [&] { return mean_of(numbers); })[0].bca.why_undefined,
              testing::HasSubstr("one patient"));
  // One patient of five has what the metric needs: it is missing in (4/5)^5 = 33 % of the samples.
  const auto some = [] {
    return [](std::span<const int32_t> weights, std::span<double> values) {
      values[0] = weights[0] > 0 ? weights[0] : NAN;
      values[1] = NAN;
    };
  };
  const auto found = bootstrap(alone(5), 5, 2, some);
  EXPECT_THAT(found[0].percentile.why_undefined, testing::HasSubstr("undefined in 3"));
  EXPECT_EQ(found[1].percentile.why_undefined, "the metric is undefined");
}

TEST(Bootstrap, RefusesPatientsThatAreNotThere) {
  const std::vector<double> numbers{1, 2};
  const std::vector<uint32_t> far{0, 4'000'000'000};
  EXPECT_THROW(bootstrap(far, 2, 1, [&] { return mean_of(numbers); }), Error);
  EXPECT_THROW(bootstrap(alone(2), 3, 1, [&] { return mean_of(numbers); }), Error);
}

// The steps of SciPy 1.17 (stats.bootstrap, method "BCa") for these numbers.
TEST(Bca, IsThatOfScipyForTheSameReplicates) {
  std::vector<double> replicates;
  for (int i = 0; i < 200; ++i) replicates.push_back(std::sin(i) + 0.3 * std::cos(3.0 * i) + 0.1);
  const std::vector<double> left_out{0.1, 0.25, 0.2, 0.9, 0.4, 0.35, 0.15};
  const Interval found = bca_interval(replicates, 0.2, left_out);
  EXPECT_NEAR(found.low, -1.095689186635271, 1e-12);
  EXPECT_NEAR(found.high, 1.277195969762651, 1e-12);
}

TEST(Clusters, CasesWithoutANameAreAlone) {
  const Clusters found = clusters_of(std::vector<std::string>{"b", "", "a", "b", ""}, 5);
  EXPECT_EQ(found.of_case, (std::vector<uint32_t>{0, 1, 2, 0, 3}));
  EXPECT_EQ(found.count, 4u);
  EXPECT_FALSE(found.single());
  EXPECT_TRUE(clusters_of({}, 3).single());
}

Predictions drawn(Mode mode, size_t n) {
  Random random(11, Purpose::sample);
  Predictions predictions;
  predictions.mode = mode;
  predictions.classes = {"a", "b"};
  if (mode != Mode::binary) predictions.classes.push_back("c");
  const size_t k = predictions.width();
  for (size_t i = 0; i < n; ++i) {
    predictions.ids.push_back(std::to_string(i));
    std::vector<double> p;
    double sum = 0;
    for (size_t c = 0; c < k; ++c)
      sum += p.emplace_back(std::round(random.uniform() * 20) / 20 + 0.01);
    for (const double one : p)
      predictions.probabilities.push_back(mode == Mode::multilabel ? one / 1.01 : one / sum);
    for (size_t c = 0; c < (mode == Mode::multilabel ? k : 1); ++c)
      predictions.labels.push_back(mode == Mode::multilabel
                                       ? static_cast<int>(random.below(3)) - 1
                                       : static_cast<int>(random.below(static_cast<int64_t>(k))));
  }
  return predictions;
}

// A weight is a case written several times: what every metric of the catalogue must keep to.
TEST(Weights, CountACaseAsOftenAsIfItWereWrittenSoOften) {
  for (const Mode mode : {Mode::binary, Mode::multiclass, Mode::multilabel}) {
    const Predictions once = drawn(mode, 60);
    Predictions written = once;
    written.ids.clear();
    written.probabilities.clear();
    written.labels.clear();
    std::vector<int32_t> weights;
    Random random(12, Purpose::sample);
    const size_t k = once.width(), per_case = once.labels.size() / once.cases();
    for (size_t i = 0; i < once.cases(); ++i) {
      weights.push_back(static_cast<int32_t>(random.below(4)));
      for (int32_t w = 0; w < weights[i]; ++w) {
        written.ids.push_back(once.ids[i]);
        for (size_t c = 0; c < k; ++c) written.probabilities.push_back(once.probability(i, c));
        for (size_t c = 0; c < per_case; ++c)
          written.labels.push_back(once.labels[i * per_case + c]);
      }
    }
    Scored weighted = score(once);
    weigh(weighted, std::vector<int32_t>(once.cases(), 5));  // no trace of it may stay
    weigh(weighted, weights);
    const Scored wanted = score(written);
    for (const Metric& metric : catalogue()) {
      if (!metric.applies(mode)) continue;
      SCOPED_TRACE(std::string(metric.name) + " " + std::string(name_of(mode)));
      ASSERT_TRUE(metric(wanted).defined());
      EXPECT_NEAR(metric(weighted).value, metric(wanted).value, 1e-12);
    }
  }
}

}  // namespace
}  // namespace fovea::metrics
