#include "fovea/metrics/interval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace fovea::metrics {
namespace {

TEST(Normal, QuantileAndDistributionAgreeWithPublishedValues) {
  // Wichura's own check values (AS 241), and the familiar 1.96.
  EXPECT_NEAR(normal_quantile(0.25), -0.6744897501960817, 1e-15);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167814, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-20), -9.262340089798408, 1e-13);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(two_sided_p(1.959963984540054), 0.05, 1e-15);
  for (const double p : {1e-9, 0.03, 0.5, 0.8, 0.999})
    EXPECT_NEAR(normal_cdf(normal_quantile(p)), p, 1e-14);
}

TEST(Normal, QuantileOfWhatIsNoProbabilityIsNone) {
  EXPECT_EQ(normal_quantile(0), -INFINITY);
  EXPECT_EQ(normal_quantile(1), INFINITY);
  EXPECT_TRUE(std::isnan(normal_quantile(1.5)));
  EXPECT_TRUE(std::isnan(normal_quantile(NAN)));
}

TEST(Wilson, AgreesWithItsPaperAndStaysInside) {
  const Interval interval = wilson(81, 263);  // Newcombe, Statistics in Medicine 1998, table I
  EXPECT_NEAR(interval.low, 0.2553, 5e-5);
  EXPECT_NEAR(interval.high, 0.3662, 5e-5);
  EXPECT_EQ(wilson(0, 20).low, 0);
  EXPECT_NEAR(wilson(0, 20).high, 0.1611, 5e-5);
  EXPECT_EQ(wilson(20, 20).high, 1);
  EXPECT_FALSE(wilson(0, 0).defined());
}

TEST(LogitInterval, StaysInsideAndHasNoneAtTheEnds) {
  const Interval interval = logit_interval(0.99, 0.01);  // 0.99 +- 0.196 would pass 1
  EXPECT_GT(interval.low, 0);
  EXPECT_LT(interval.high, 1);
  EXPECT_FALSE(logit_interval(1, 0).defined());
  EXPECT_THAT(logit_interval(1, 0).why_undefined, testing::HasSubstr("0 or 1"));
}

TEST(Power, CasesGrowWithTheSquareOfWhatIsAsked) {
  EXPECT_EQ(cases_for_half_width(0.03, 0.06, 100), 400);
  EXPECT_EQ(cases_for_half_width(0.05, 0.05, 123), 123);
}

}  // namespace
}  // namespace fovea::metrics
