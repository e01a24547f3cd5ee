#include "fovea/metrics/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace fovea::metrics {
namespace {

using testing::HasSubstr;
using Type = PointRule::Type;

/// Positive: 0.9, 0.7, 0.7, 0.2; negative: 0.8, 0.6, 0.3, 0.1.
Ranking eight() {
  return {std::vector<double>{0.9, 0.7, 0.7, 0.2, 0.8, 0.6, 0.3, 0.1},
          std::vector<uint8_t>{1, 1, 1, 1, 0, 0, 0, 0}};
}

double threshold_of(const Ranking& ranking, const PointRule& rule) {
  return choose_point(ranking, rule, "val").threshold;
}

TEST(OperatingPoint, YoudenTakesTheLargestSumAndOfEqualOnesTheHighest) {
  // Sensitivity + specificity: 1.25 at 0.9, 1.0 at 0.8, 1.5 at 0.7, then falling.
  EXPECT_EQ(threshold_of(eight(), {}), 0.7);
  // 1.5 at 0.9, 1.25 at 0.5, 1.5 at 0.2.
  const Ranking tied(std::vector<double>{0.9, 0.2, 0.5, 0.1}, std::vector<uint8_t>{1, 1, 0, 0});
  EXPECT_EQ(threshold_of(tied, {}), 0.9);
}

TEST(OperatingPoint, KeepsTheWantedSensitivityWithAsFewFalsePositivesAsCanBe) {
  EXPECT_EQ(threshold_of(eight(), {Type::sensitivity, 0.75}), 0.7);
  EXPECT_EQ(threshold_of(eight(), {Type::sensitivity, 0.76}), 0.2);
}

TEST(OperatingPoint, KeepsTheWantedSpecificityEvenIfNothingMayBeCalled) {
  EXPECT_EQ(threshold_of(eight(), {Type::specificity, 0.75}), 0.7);
  EXPECT_EQ(threshold_of(eight(), {Type::specificity, 1}), 0.9);
  const Ranking top_negative(std::vector<double>{0.9, 0.5}, std::vector<uint8_t>{0, 1});
  const double none = threshold_of(top_negative, {Type::specificity, 1});
  EXPECT_GT(none, 0.9);
  EXPECT_LT(none, 0.9000001);
}

TEST(OperatingPoint, WeighsWhatIsMissedAgainstFalseAlarms) {
  EXPECT_EQ(threshold_of(eight(), {Type::cost, 10}), 0.2);  // 3 alarms rather than one case missed
  EXPECT_EQ(threshold_of(eight(), {Type::cost, 1}), 0.7);
  EXPECT_EQ(threshold_of(eight(), {Type::cost, 0.1}), 0.9);
}

TEST(OperatingPoint, SaysHowItWasChosenAndWhyItWasNot) {
  EXPECT_EQ(choose_point(eight(), {Type::sensitivity, 0.95}, "val").chosen,
            "sensitivity 0.95 on val");
  EXPECT_EQ(choose_point(eight(), {Type::cost, 10}, "val").chosen, "cost 10:1 on val");
  const OperatingPoint none = choose_point(Ranking({}, {}), {}, "val");
  EXPECT_EQ(none.threshold, 0.5);
  EXPECT_EQ(none.chosen, "default, val has no cases");
  const Ranking ill(std::vector<double>{0.4}, std::vector<uint8_t>{1});
  EXPECT_EQ(choose_point(ill, {}, "val").chosen, "default, val has no negative case");
}

TEST(DecisionCurve, IsWhatTreatingIsWorthAtTheOddsOfTheThreshold) {
  const std::vector<double> at{0.25, 0.5, 0.95};
  const auto curve = decision_curve(eight(), at);
  // At 0.25: 3 right, 3 wrong at odds of a third. Treating all: 4 and 4.
  EXPECT_NEAR(curve[0].model, (3 - 3.0 / 3) / 8, 1e-15);
  EXPECT_NEAR(curve[0].treat_all, (4 - 4.0 / 3) / 8, 1e-15);
  EXPECT_NEAR(curve[1].model, (3 - 2.0) / 8, 1e-15);
  EXPECT_EQ(curve[2].model, 0);  // nobody is treated
  EXPECT_TRUE(decision_curve(Ranking({}, {}), at).empty());
}

TEST(PredictiveValues, FollowBayesAtAnotherPrevalence) {
  EXPECT_NEAR(ppv_at(0.9, 0.9, 0.1).value, 0.5, 1e-15);
  EXPECT_NEAR(npv_at(0.9, 0.9, 0.1).value, 0.81 / 0.82, 1e-15);
  EXPECT_FALSE(ppv_at(0, 1, 0.1).defined());
}

TEST(LikelihoodRatios, AreUndefinedWhereNobodyIsWrong) {
  const Counts counts{
      .true_positives = 8, .false_positives = 1, .true_negatives = 9, .false_negatives = 2};
  EXPECT_NEAR(positive_likelihood_ratio(counts).value, 8, 1e-14);
  EXPECT_NEAR(negative_likelihood_ratio(counts).value, 0.2 / 0.9, 1e-15);
  EXPECT_THAT(positive_likelihood_ratio({.true_positives = 1, .true_negatives = 1}).why_undefined,
              HasSubstr("no negative case was called positive"));
}

}  // namespace
}  // namespace fovea::metrics
