#include "fovea/metrics/regression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "support/test_files.h"

namespace fovea::metrics {
namespace {

using Json = nlohmann::json;

Numbers numbers(std::vector<double> targets, std::vector<double> predicted) {
  Numbers all{.ids = {}, .groups = {}, .targets = std::move(targets), .predicted = predicted};
  for (size_t i = 0; i < predicted.size(); ++i) all.ids.push_back(std::to_string(i));
  return all;
}

// Relative 1e-12, but on the scale of the targets: r2 and bias are differences of large sums.
void expect_near(double found, double wanted, double scale) {
  EXPECT_NEAR(found, wanted, 1e-12 * std::max(scale, std::abs(wanted)));
}

// Ten times 0.1 has a sum whose mean is not 0.1.
TEST(Regression, EqualTargetsHaveNoR2WhateverTheirRounding) {
  const MetricValue value = r2(numbers(std::vector<double>(10, 0.1), std::vector<double>(10, 0.2)));
  EXPECT_FALSE(value.defined());
  EXPECT_EQ(value.why_undefined, "all targets are equal");
}

TEST(Regression, MetricsAreThoseOfScikitLearn) {
  const Json all = Json::parse(test::read_text(test::reference("regression.json")))["cases"];
  ASSERT_EQ(all.size(), 6u);
  for (const Json& one : all) {
    SCOPED_TRACE(one["what"].get<std::string>());
    const Numbers n = numbers(one["targets"], one["predicted"]);
    double scale = 0;
    for (const double target : n.targets) scale = std::max(scale, std::abs(target));
    for (const RegressionMetric& metric : regression_catalogue()) {
      SCOPED_TRACE(metric.name);
      const MetricValue value = metric.compute(n);
      ASSERT_TRUE(value.defined());
      expect_near(value.value, one["figures"][std::string(metric.name)],
                  metric.name == "r2" ? 1 : scale);
    }
    const Agreement agreement = limits_of_agreement(n);
    expect_near(agreement.low.value, one["limits"][0], scale);
    expect_near(agreement.high.value, one["limits"][1], scale);
  }
}

TEST(Regression, MetricsOfAHandCount) {
  const Numbers n = numbers({1, 2, 6}, {2, 2, 4});  // errors 1, 0, -2; the mean target is 3
  EXPECT_DOUBLE_EQ(rmse(n).value, std::sqrt(5.0 / 3));
  EXPECT_DOUBLE_EQ(mae(n).value, 1);
  EXPECT_DOUBLE_EQ(r2(n).value, 1 - 5.0 / 14);
  EXPECT_DOUBLE_EQ(bias(n).value, -1.0 / 3);
}

TEST(Regression, NothingIsDefinedWithoutACase) {
  for (const RegressionMetric& metric : regression_catalogue()) {
    const MetricValue value = metric.compute({});
    EXPECT_EQ(value.why_undefined, "no case was evaluated") << metric.name;
    EXPECT_TRUE(std::isnan(value.value));
  }
}

TEST(Regression, EqualTargetsLeaveNothingToExplain) {
  const Numbers n = numbers({3, 3}, {3, 4});
  EXPECT_EQ(r2(n).why_undefined, "all targets are equal");
  EXPECT_TRUE(rmse(n).defined());
}

TEST(Regression, OneCaseHasABiasButNoLimits) {
  const Agreement agreement = limits_of_agreement(numbers({3}, {5}));
  EXPECT_DOUBLE_EQ(agreement.bias.value, 2);
  EXPECT_FALSE(agreement.low.defined());
  EXPECT_FALSE(agreement.high.defined());
}

TEST(Regression, NumbersThatAreNotFiniteAreRefused) {
  EXPECT_NO_THROW(numbers({1}, {2}).check());
  EXPECT_THROW(numbers({1}, {NAN}).check(), Error);
  EXPECT_THROW(numbers({INFINITY}, {1}).check(), Error);
  EXPECT_THROW(numbers({1, 2}, {1}).check(), Error);
}

}  // namespace
}  // namespace fovea::metrics
