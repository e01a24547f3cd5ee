#include "fovea/metrics/delong.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "fovea/core/error.h"
#include "fovea/core/random.h"
#include "fovea/metrics/ranking.h"

namespace fovea::metrics {
namespace {

TEST(Placements, OfAPositiveCaseIsTheShareOfNegativesBelow) {
  const std::vector<double> scores{0.1, 0.4, 0.4, 0.8};
  const std::vector<uint8_t> labels{0, 0, 1, 1};
  const Placements found = place(scores, labels);
  EXPECT_EQ(found.values, (std::vector<double>{1, 0.75, 0.75, 1}));
  EXPECT_EQ(found.auc.value, 0.875);
}

// By hand: positives above 3, 2, 3 of 3 negatives.
TEST(DeLong, VarianceByHand) {
  const std::vector<double> scores{0.9, 0.5, 0.8, 0.6, 0.1, 0.2};
  const std::vector<uint8_t> labels{1, 1, 1, 0, 0, 0};
  const AucEstimate found = estimate_auc(scores, labels);
  // Positives 1, 2/3, 1: variance 1/27. Negatives 2/3, 1, 1: the same. Each over 3.
  EXPECT_NEAR(found.auc.value, 8.0 / 9, 1e-15);
  EXPECT_NEAR(found.variance.value, 2.0 / 81, 1e-15);
}

TEST(DeLong, PatientsWithOneCaseEachAreIndependentCases) {
  Random random(1, Purpose::sample);
  std::vector<double> a, b;
  std::vector<uint8_t> labels;
  std::vector<uint32_t> patients;
  for (uint32_t i = 0; i < 200; ++i) {
    labels.push_back(i % 3 == 0);
    a.push_back(random.normal() + labels.back());
    b.push_back(random.normal() + 0.5 * labels.back());
    patients.push_back(199 - i);
  }
  const double alone = estimate_auc(a, labels).variance.value;
  EXPECT_NEAR(estimate_auc(a, labels, patients).variance.value, alone, 1e-15);
  EXPECT_NEAR(compare_auc(a, b, labels, patients).p.value, compare_auc(a, b, labels).p.value,
              1e-13);
}

// Each case twice, in one patient: as much is known as from the single ones.
TEST(Obuchowski, RepeatedCasesOfAPatientAddNothing) {
  Random random(2, Purpose::sample);
  std::vector<double> scores, twice;
  std::vector<uint8_t> labels, labels_twice;
  std::vector<uint32_t> patients;
  for (uint32_t i = 0; i < 100; ++i) {
    labels.push_back(i % 2);
    scores.push_back(random.normal() + labels.back());
    for (int k = 0; k < 2; ++k) {
      twice.push_back(scores.back());
      labels_twice.push_back(labels.back());
      patients.push_back(i);
    }
  }
  const double alone = estimate_auc(scores, labels).variance.value;
  EXPECT_NEAR(estimate_auc(twice, labels_twice, patients).variance.value, alone, 1e-15);
  EXPECT_LT(estimate_auc(twice, labels_twice).variance.value, 0.6 * alone);
}

TEST(DeLong, IsUndefinedWhereItHasNoVariance) {
  const std::vector<double> scores{0.1, 0.2, 0.3};
  EXPECT_EQ(estimate_auc(scores, std::vector<uint8_t>{0, 0, 1}).variance.why_undefined,
            "one positive case");
  EXPECT_EQ(estimate_auc(scores, std::vector<uint8_t>{0, 0, 0}).auc.why_undefined,
            "no positive case");
  EXPECT_EQ(estimate_auc({}, {}).auc.why_undefined, "no cases");
  const std::vector<double> four{0.1, 0.2, 0.3, 0.4};
  const std::vector<uint8_t> labels{0, 0, 1, 1};
  EXPECT_EQ(estimate_auc(four, labels, std::vector<uint32_t>{0, 1, 2, 2}).variance.why_undefined,
            "one patient with a positive case");
  EXPECT_FALSE(estimate_auc(four, labels).interval.defined());  // an area of 1
  EXPECT_EQ(compare_auc(four, four, labels).p.why_undefined, "the two order all cases alike");
  EXPECT_THROW(estimate_auc(four, labels, std::vector<uint32_t>{0, 1, 2, 4'000'000'000}), Error);
  EXPECT_THROW(place(std::vector<double>{NAN, 1}, std::vector<uint8_t>{0, 1}), Error);
}

// 50,000 times 50,000 pairs do not fit 32 bits, in which a known package counts them.
TEST(DeLong, TakesAHundredThousandCasesInOneSort) {
  Random random(3, Purpose::sample);
  std::vector<double> scores;
  std::vector<uint8_t> labels;
  for (int i = 0; i < 100'000; ++i) {
    labels.push_back(i % 2);
    scores.push_back(random.normal() + labels.back());
  }
  const AucEstimate found = estimate_auc(scores, labels);
  EXPECT_NEAR(found.auc.value, roc_auc(scores, labels).value, 1e-15);
  EXPECT_NEAR(found.auc.value, 0.7602, 0.005);  // Phi(1 / sqrt 2)
  // Of a twentieth of the cases twenty times the variance, which the direct formula gives (agreement_test).
  const std::span some(scores.data(), 5'000);
  EXPECT_NEAR(estimate_auc(some, std::span(labels.data(), 5'000)).variance.value / 20,
              found.variance.value, 0.1 * found.variance.value);
}

}  // namespace
}  // namespace fovea::metrics
