#include "fovea/metrics/calibration.h"

#include <gtest/gtest.h>

#include "metrics/drawn.h"

namespace fovea::metrics {
namespace {

using test::distorted;
using test::Sample;

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
