// Hand counts: small enough to check with a pencil.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "fovea/core/error.h"
#include "fovea/metrics/calibration.h"
#include "fovea/metrics/counts.h"
#include "fovea/metrics/ranking.h"

namespace fovea::metrics {
namespace {

using Scores = std::vector<double>;
using Labels = std::vector<uint8_t>;
using testing::HasSubstr;

/// The definition: the part of the pairs (positive, negative) in the right order, ties half.
double auc_by_pairs(const Scores& scores, const Labels& labels) {
  double right = 0, pairs = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    for (size_t j = 0; j < scores.size(); ++j) {
      if (!labels[i] || labels[j]) continue;
      right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
      pairs += 1;
    }
  }
  return right / pairs;
}

TEST(RocAuc, CountsTiesHalf) {
  // Pairs: (0.8 > 0.5), (0.8 > 0.2), (0.5 = 0.5), (0.5 > 0.2): 3.5 of 4.
  EXPECT_DOUBLE_EQ(roc_auc(Scores{0.8, 0.5, 0.5, 0.2}, Labels{1, 1, 0, 0}).value, 3.5 / 4);
}

TEST(RocAuc, EqualsTheCountOfAllPairs) {
  std::mt19937 random(7);
  for (int size : {2, 3, 10, 97, 500}) {
    for (int levels : {2, 5, 1000}) {
      Scores scores(size);
      Labels labels(size);
      for (int i = 0; i < size; ++i) {
        labels[i] = i < 2 ? i : random() % 3 == 0;
        scores[i] = (random() % levels + labels[i] * (random() % levels)) / 10.0;
      }
      EXPECT_NEAR(roc_auc(scores, labels).value, auc_by_pairs(scores, labels), 1e-13);
    }
  }
}

TEST(RocAuc, StaysExactWhereTheNumberOfPairsIsBeyond32Bits) {
  const size_t n = 200'000;  // 10^10 pairs, every negative tied with one positive
  Scores scores(n);
  Labels labels(n);
  for (size_t i = 0; i < n; ++i) {
    scores[i] = static_cast<double>(i / 2);
    labels[i] = i % 2;
  }
  EXPECT_DOUBLE_EQ(roc_auc(scores, labels).value, 0.5);
}

TEST(RocAuc, OrdersInfinitiesAndRefusesNaN) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(roc_auc(Scores{infinity, 0, -infinity}, Labels{1, 1, 0}).value, 1);
  try {
    roc_auc(Scores{0.1, std::nan("")}, Labels{0, 1});
    FAIL() << "NaN was ranked";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), HasSubstr("case 1 is NaN"));
  }
}

TEST(RocAuc, IsUndefinedWithOneClassAndSaysWhichIsMissing) {
  EXPECT_EQ(roc_auc(Scores{0.1, 0.2}, Labels{0, 0}).why_undefined, "no positive case");
  EXPECT_EQ(roc_auc(Scores{0.1, 0.2}, Labels{1, 1}).why_undefined, "no negative case");
  EXPECT_EQ(roc_auc(Scores{}, Labels{}).why_undefined, "no cases");
  EXPECT_TRUE(std::isnan(roc_auc(Scores{0.1}, Labels{1}).value));
}

TEST(RocCurve, PassesThroughOnePointPerDistinctScore) {
  const auto curve = roc_curve(Scores{0.9, 0.5, 0.5, 0.1}, Labels{1, 0, 1, 0});
  ASSERT_EQ(curve.size(), 4u);
  EXPECT_TRUE(std::isinf(curve[0].threshold));
  EXPECT_EQ(curve[1].true_positive_rate, 0.5);
  EXPECT_EQ(curve[1].false_positive_rate, 0);
  EXPECT_EQ(curve[2].true_positive_rate, 1);
  EXPECT_EQ(curve[2].false_positive_rate, 0.5);
  EXPECT_EQ(curve[3].false_positive_rate, 1);
}

TEST(AveragePrecision, IsTheStepwiseSum) {
  // Recall 1/2 at precision 1, recall 1 at precision 2/3.
  EXPECT_DOUBLE_EQ(average_precision(Scores{0.9, 0.8, 0.7, 0.1}, Labels{1, 0, 1, 0}).value,
                   0.5 * 1 + 0.5 * 2 / 3);
}

TEST(Counts, GiveEachMetricByHand) {
  const Counts counts{
      .true_positives = 6, .false_positives = 2, .true_negatives = 10, .false_negatives = 3};
  EXPECT_DOUBLE_EQ(accuracy(counts).value, 16.0 / 21);
  EXPECT_DOUBLE_EQ(sensitivity(counts).value, 6.0 / 9);
  EXPECT_DOUBLE_EQ(specificity(counts).value, 10.0 / 12);
  EXPECT_DOUBLE_EQ(balanced_accuracy(counts).value, (6.0 / 9 + 10.0 / 12) / 2);
  EXPECT_DOUBLE_EQ(ppv(counts).value, 6.0 / 8);
  EXPECT_DOUBLE_EQ(npv(counts).value, 10.0 / 13);
  EXPECT_DOUBLE_EQ(f1(counts).value, 12.0 / 17);
  EXPECT_NEAR(mcc(counts).value, (6 * 10 - 2 * 3) / std::sqrt(8.0 * 9 * 12 * 13), 1e-15);
  const double chance = (8.0 * 9 + 13.0 * 12) / (21.0 * 21);
  EXPECT_NEAR(kappa(counts).value, (16.0 / 21 - chance) / (1 - chance), 1e-15);
}

TEST(Counts, CallACaseOnTheThresholdPositive) {
  const Counts counts = count(Scores{0.5, 0.49, 0.5}, Labels{1, 1, 0}, 0.5);
  EXPECT_EQ(counts.true_positives, 1);
  EXPECT_EQ(counts.false_negatives, 1);
  EXPECT_EQ(counts.false_positives, 1);
}

TEST(Counts, LeaveAMetricUndefinedRatherThanZero) {
  const Counts no_positive{.true_negatives = 5};
  EXPECT_EQ(sensitivity(no_positive).why_undefined, "no positive case");
  EXPECT_EQ(ppv(no_positive).why_undefined, "no case was called positive");
  EXPECT_FALSE(f1(no_positive).defined());
  EXPECT_FALSE(mcc(no_positive).defined());
  EXPECT_FALSE(kappa(no_positive).defined());
  EXPECT_FALSE(balanced_accuracy(no_positive).defined());
  EXPECT_EQ(specificity(no_positive).value, 1);
  EXPECT_EQ(accuracy(Counts{}).why_undefined, "no cases");
  EXPECT_EQ(f1(Counts{.false_positives = 1, .false_negatives = 1}).value, 0);  // 0 where it is 0
}

TEST(ConfusionMatrix, OfTwoClassesAgreesWithTheCounts) {
  const std::vector<int> truths{1, 1, 1, 0, 0, 1, 0}, decisions{1, 0, 1, 0, 1, 1, 0};
  const ConfusionMatrix matrix(2, truths, decisions);
  const Counts counts = matrix.against_rest(1);
  EXPECT_EQ(counts.true_positives, 3);
  EXPECT_EQ(counts.false_negatives, 1);
  EXPECT_EQ(counts.false_positives, 1);
  EXPECT_EQ(counts.true_negatives, 2);
  EXPECT_DOUBLE_EQ(mcc(matrix).value, (3 * 2 - 1 * 1) / std::sqrt(4.0 * 4 * 3 * 3));
}

TEST(ConfusionMatrix, OfOneClassHasAnAccuracyButNothingBalanced) {
  const std::vector<int> truths{2, 2, 2}, decisions{2, 0, 2};
  const ConfusionMatrix matrix(3, truths, decisions);
  EXPECT_DOUBLE_EQ(accuracy(matrix).value, 2.0 / 3);
  EXPECT_EQ(balanced_accuracy(matrix).why_undefined, "only one class occurs");
  EXPECT_EQ(mcc(matrix).why_undefined, "only one class occurs");
  EXPECT_EQ(kappa(matrix).value, 0);  // agreement 2/3, by chance 2/3
}

TEST(ConfusionMatrix, RefusesAClassThatIsNotThere) {
  EXPECT_THROW(ConfusionMatrix(2, std::vector<int>{2}, std::vector<int>{0}), Error);
  EXPECT_THROW(ConfusionMatrix(2, std::vector<int>{0}, std::vector<int>{-1}), Error);
  EXPECT_THROW(ConfusionMatrix(2, std::vector<int>{0, 1}, std::vector<int>{0}), Error);
}

TEST(LogLoss, OfACertainMistakeIsClippedAtTheMachineEpsilon) {
  EXPECT_DOUBLE_EQ(log_loss(Scores{0.0}, Labels{1}).value, 52 * std::log(2));
  EXPECT_NEAR(log_loss(Scores{1.0}, Labels{1}).value, 0, 1e-15);
  EXPECT_DOUBLE_EQ(log_loss(Scores{0.25, 0.25}, Labels{1, 0}).value,
                   (std::log(4) - std::log(0.75)) / 2);
}

TEST(Brier, OfTwoClassesIsTwiceTheBinaryScore) {
  const Labels binary{1, 0};
  const std::vector<int> classes{1, 0};
  EXPECT_NEAR(brier(Scores{0.7, 0.4}, binary).value, (0.09 + 0.16) / 2, 1e-15);
  EXPECT_NEAR(brier(Scores{0.3, 0.7, 0.6, 0.4}, classes, 2).value, 0.09 + 0.16, 1e-15);
}

TEST(Calibration, RefusesWhatIsNoProbability) {
  EXPECT_THROW(log_loss(Scores{1.5}, Labels{1}), Error);
  EXPECT_THROW(brier(Scores{-0.1}, Labels{1}), Error);
  EXPECT_THROW(reliability(Scores{std::nan("")}, Labels{1}), Error);
  EXPECT_THROW(log_loss(Scores{0.5, 0.5}, Labels{1}), Error);
}

TEST(Reliability, PutsAnEdgeIntoTheLowerBin) {
  const auto bins = reliability(Scores{0, 0.2, 0.21, 1}, Labels{0, 1, 0, 1}, 5);
  ASSERT_EQ(bins.size(), 5u);
  EXPECT_EQ(bins[0].cases, 2);
  EXPECT_DOUBLE_EQ(bins[0].mean_probability, 0.1);
  EXPECT_DOUBLE_EQ(bins[0].observed, 0.5);
  EXPECT_EQ(bins[1].cases, 1);
  EXPECT_EQ(bins[4].cases, 1);
  // (2 * |0.5 - 0.1| + 1 * |0 - 0.21| + 1 * 0) / 4
  EXPECT_NEAR(ece(bins).value, (0.8 + 0.21) / 4, 1e-15);
}

}  // namespace
}  // namespace fovea::metrics
