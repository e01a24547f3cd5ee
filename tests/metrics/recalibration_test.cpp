#include "fovea/metrics/recalibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "metrics/drawn.h"

namespace fovea::metrics {
namespace {

using test::distorted;
using test::Sample;
using testing::HasSubstr;

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

// SciPy's and statsmodels' numbers (Logit and GLM with an offset; cov_type "cluster" for patients).
TEST(Recalibration, HasTheIntervalsOfStatsmodels) {
  const std::vector<double> p{0.1,  0.2,  0.3, 0.4,  0.6,  0.7,  0.8,  0.9, 0.25, 0.35, 0.55, 0.65,
                              0.15, 0.45, 0.5, 0.85, 0.95, 0.05, 0.75, 0.3, 0.6,  0.4,  0.7,  0.2};
  const std::vector<uint8_t> y{0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1,
                               0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1};
  const Recalibration single = recalibrate(p, y);
  EXPECT_NEAR(single.slope.value, 0.9313606510617871, 1e-12);
  EXPECT_NEAR(single.slope_interval.low, 0.06807884419382115, 1e-11);
  EXPECT_NEAR(single.slope_interval.high, 1.794642457929753, 1e-11);
  EXPECT_NEAR(single.intercept.value, 0.2964861244758779, 1e-12);
  EXPECT_NEAR(single.intercept_interval.low, -0.6411095428142486, 1e-11);
  EXPECT_NEAR(single.intercept_interval.high, 1.2340817917660045, 1e-11);
  std::vector<uint32_t> patients;
  for (uint32_t i = 0; i < 24; ++i) patients.push_back(i / 3);
  const Recalibration by_patient = recalibrate(p, y, patients);
  EXPECT_EQ(by_patient.slope.value, single.slope.value);
  EXPECT_NEAR(by_patient.slope_interval.low, 0.29841407979223233, 1e-11);
  EXPECT_NEAR(by_patient.slope_interval.high, 1.564307222331342, 1e-11);
  EXPECT_NEAR(by_patient.intercept_interval.low, -0.6661397285497561, 1e-11);
  EXPECT_NEAR(by_patient.intercept_interval.high, 1.2591119775015118, 1e-11);
}

}  // namespace
}  // namespace fovea::metrics
