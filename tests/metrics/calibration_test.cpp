#include "fovea/metrics/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/core/random.h"

namespace fovea::metrics {
namespace {

using testing::HasSubstr;

struct Sample {
  std::vector<double> probabilities;
  std::vector<uint8_t> labels;
};

/// Labels that follow logistic(a + b log odds(p)).
Sample distorted(double a, double b, size_t cases) {
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

TEST(Recalibration, FindsTheLineThatTheLabelsFollow) {
  const Sample honest = distorted(0, 1, 100'000);
  const Recalibration of_honest = recalibrate(honest.probabilities, honest.labels);
  EXPECT_NEAR(of_honest.slope.value, 1, 0.02);
  EXPECT_NEAR(of_honest.intercept.value, 0, 0.02);
  const Sample extreme = distorted(0, 0.5, 100'000);
  EXPECT_NEAR(recalibrate(extreme.probabilities, extreme.labels).slope.value, 0.5, 0.02);
  const Sample too_high = distorted(-1, 1, 100'000);
  EXPECT_NEAR(recalibrate(too_high.probabilities, too_high.labels).intercept.value, -1, 0.02);
}

Recalibration of(const std::vector<double>& probabilities, const std::vector<uint8_t>& labels) {
  return recalibrate(probabilities, labels);
}

TEST(Recalibration, SaysWhereNoLineFits) {
  EXPECT_THAT(of({0.1, 0.2, 0.8, 0.9}, {0, 0, 1, 1}).slope.why_undefined, HasSubstr("separate"));
  EXPECT_TRUE(of({0.1, 0.2, 0.8, 0.9}, {0, 0, 1, 1}).intercept.defined());
  EXPECT_EQ(of({0.3, 0.3}, {0, 1}).slope.why_undefined, "all probabilities are equal");
  EXPECT_EQ(of({0.3, 0.4}, {0, 0}).slope.why_undefined, "no positive case");
  EXPECT_EQ(of({}, {}).slope.why_undefined, "no cases");
  EXPECT_EQ(of({0, 1}, {0, 1}).slope.why_undefined, "all probabilities are 0 or 1");
}

TEST(Recalibration, CertaintyThatWasRightSaysNothingAndCertaintyThatWasWrongForbidsALine) {
  const std::vector<double> some{0.2, 0.6, 0.4, 0.7};
  const std::vector<uint8_t> labels{0, 0, 1, 1};
  std::vector<double> more = some;
  more.insert(more.end(), {0, 1});
  EXPECT_EQ(of(more, {0, 0, 1, 1, 0, 1}).slope.value, of(some, labels).slope.value);
  EXPECT_THAT(of(more, {0, 0, 1, 1, 1, 1}).slope.why_undefined,
              HasSubstr("a case with probability 0 is positive"));
  EXPECT_THAT(of(more, {0, 0, 1, 1, 0, 0}).intercept.why_undefined,
              HasSubstr("a case with probability 1 is negative"));
}

TEST(ReliabilityByMass, PutsEqualProbabilitiesIntoOneBin) {
  const auto bins = reliability_by_mass(std::vector<double>{0.1, 0.1, 0.1, 0.1, 0.2, 0.9},
                                        std::vector<uint8_t>{0, 0, 0, 1, 1, 1}, 3);
  ASSERT_EQ(bins.size(), 2u);
  EXPECT_EQ(bins[0].cases, 4);
  EXPECT_EQ(bins[0].observed, 0.25);
  EXPECT_EQ(bins[1].cases, 2);
  EXPECT_EQ(bins[1].high, 0.9);
}

TEST(BrierParts, AddUpToTheScore) {
  const Sample sample = distorted(0.3, 0.7, 500);
  const auto bins = reliability(sample.probabilities, sample.labels);
  const BrierParts parts = brier_parts(sample.probabilities, sample.labels, bins);
  EXPECT_NEAR(parts.reliability.value - parts.resolution.value + parts.uncertainty.value +
                  parts.within.value,
              brier(sample.probabilities, sample.labels).value, 1e-15);
  // Two probabilities, each alone in its bin: nothing is hidden.
  const std::vector<double> two{0.2, 0.2, 0.8, 0.8};
  const std::vector<uint8_t> labels{0, 1, 1, 1};
  EXPECT_NEAR(brier_parts(two, labels, reliability(two, labels)).within.value, 0, 1e-15);
}

TEST(Mce, IsTheLargestGapOfABinThatHoldsACase) {
  const std::vector<double> p{0.2, 0.2, 0.9};
  const std::vector<uint8_t> labels{0, 1, 1};
  EXPECT_NEAR(mce(reliability(p, labels)).value, 0.3, 1e-15);
  EXPECT_FALSE(mce(reliability({}, {})).defined());
}

}  // namespace
}  // namespace fovea::metrics
