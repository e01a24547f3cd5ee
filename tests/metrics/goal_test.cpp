#include "fovea/metrics/goal.h"

#include <gtest/gtest.h>

#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/regression.h"

namespace fovea::metrics {
namespace {

TEST(Goals, SayWhichOfTwoValuesIsBetter) {
  EXPECT_TRUE(kHigher.better(0.9, 0.8));
  EXPECT_FALSE(kHigher.better(0.8, 0.8));
  EXPECT_TRUE(kLower.better(-2, -1));
  EXPECT_TRUE(near(0).better(-0.04, -2.2));
  EXPECT_TRUE(near(0).better(0.1, -0.2));
  EXPECT_FALSE(near(0).better(0.2, -0.2));
  EXPECT_TRUE(near(1).better(1.1, 0.8));
  for (const Goal& goal : {kHigher, kLower, near(0)}) {
    EXPECT_FALSE(goal.better(NAN, 1));
    EXPECT_FALSE(goal.better(1, NAN));
  }
}

TEST(Goals, AreInWords) {
  EXPECT_EQ(words(kHigher), "higher");
  EXPECT_EQ(words(kLower), "lower");
  EXPECT_EQ(words(near(0)), "nearest to 0");
  EXPECT_EQ(words(near(1.5)), "nearest to 1.5");
}

// Written out by hand beside the definitions in docs/evaluation.md.
TEST(Goals, OfEveryMetricAreThoseOfItsDefinition) {
  for (const Metric& metric : catalogue()) {
    const bool error = metric.name == "log_loss" || metric.name == "brier" || metric.name == "ece";
    EXPECT_EQ(metric.goal, error ? kLower : kHigher) << metric.name;
  }
  for (const RegressionMetric& metric : regression_catalogue()) {
    const bool error = metric.name == "rmse" || metric.name == "mae";
    const Goal wanted = metric.name == "bias" ? near(0) : error ? kLower : kHigher;
    EXPECT_EQ(metric.goal, wanted) << metric.name;
  }
}

}  // namespace
}  // namespace fovea::metrics
