#include "fovea/metrics/significance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fovea::metrics {
namespace {

TEST(McNemar, IsTheSumOfTheBinomial) {
  EXPECT_NEAR(mcnemar(1, 5).value, 2 * (1 + 6) / 64.0, 1e-15);
  EXPECT_EQ(mcnemar(1, 5).value, mcnemar(5, 1).value);
  EXPECT_EQ(mcnemar(3, 3).value, 1);
  EXPECT_NEAR(mcnemar(0, 10).value, 2 / 1024.0, 1e-15);
  EXPECT_FALSE(mcnemar(0, 0).defined());
}

TEST(McNemar, OfManyCasesIsNeitherZeroNorSlow) {
  // Normal with continuity correction: z = (|b - c| - 1) / sqrt(b + c).
  const double found = mcnemar(500'000, 502'500).value;
  EXPECT_NEAR(found, std::erfc(2499 / std::sqrt(1'002'500.0) / std::sqrt(2)), 1e-5);
  EXPECT_GT(mcnemar(0, 900).value, 0);
}

TEST(Holm, RaisesEachToItsRankAndNeverBelowTheOneBefore) {
  // Holm's own procedure by hand: 0.01 * 4, 0.02 * 3, max(0.06, 0.03 * 2), 0.5 * 1.
  const std::vector<double> p{0.02, 0.5, 0.01, 0.03};
  const std::vector<double> wanted{0.06, 0.5, 0.04, 0.06};
  const std::vector<double> found = holm(p);
  for (size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 1e-15);
}

TEST(Holm, ATestThatCouldNotBeMadeIsNotCounted) {
  const std::vector<double> found = holm(std::vector<double>{NAN, 0.02, 0.9});
  EXPECT_TRUE(std::isnan(found[0]));
  EXPECT_NEAR(found[1], 0.04, 1e-15);
  EXPECT_EQ(found[2], 0.9);
}

}  // namespace
}  // namespace fovea::metrics
