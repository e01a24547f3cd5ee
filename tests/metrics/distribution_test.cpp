#include "fovea/metrics/distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "fovea/metrics/interval.h"
#include "support/test_files.h"

namespace fovea::metrics {
namespace {

using Json = nlohmann::json;

Json tails() { return Json::parse(test::read_text(test::reference("drift.json")))["tails"]; }

// From 1 degree of freedom to 1,000 and from 0.998 to 1e-300: make_drift.py.
TEST(ChiSquared, TailIsSciPysToTwelveDigits) {
  const Json all = tails()["chi2"];
  ASSERT_GT(all.size(), 250u);
  for (const Json& one : all) {
    const double wanted = one[2];
    EXPECT_NEAR(chi_squared_above(one[0], one[1]) / wanted, 1, 1e-12)
        << one[0] << " with " << one[1] << " degrees";
  }
}

// An even number 2 h of degrees: exp(-x/2) (1 + x/2 + … + (x/2)^(h - 1) / (h - 1)!), in long doubles. SciPy's
// own is off by 3e-12 at 5,000 degrees.
TEST(ChiSquared, TailOfEvenDegreesIsASumOfPoisson) {
  for (const int degrees : {2, 4, 10, 52, 300, 5000})
    for (const double apart : {0.05, 0.5, 0.97, 1.0, 1.04, 1.5, 1.9}) {
      const double x = degrees * apart;
      long double term = std::exp(-static_cast<long double>(x) / 2), sum = 0;
      for (int k = 0; k < degrees / 2; ++k) {
        sum += term;
        term *= static_cast<long double>(x) / 2 / (k + 1);
      }
      EXPECT_NEAR(chi_squared_above(x, degrees) / static_cast<double>(sum), 1, 1e-12)
          << x << " with " << degrees;
    }
}

TEST(ChiSquared, OfOneDegreeIsTheSquareOfANormalNumber) {
  for (const double z : {1e-3, 0.5, 1.0, 1.96, 5.0, 12.0, 37.0})
    EXPECT_NEAR(chi_squared_above(z * z, 1) / two_sided_p(z), 1, 1e-12) << z;
}

TEST(ChiSquared, EndsAreThose) {
  EXPECT_EQ(chi_squared_above(0, 3), 1);
  EXPECT_EQ(chi_squared_above(-2, 3), 1);
  EXPECT_EQ(chi_squared_above(INFINITY, 3), 0);
  EXPECT_EQ(chi_squared_above(1e5, 3), 0);  // exp(-50,000)
  EXPECT_TRUE(std::isnan(chi_squared_above(NAN, 3)));
  EXPECT_TRUE(std::isnan(chi_squared_above(1, NAN)));
  EXPECT_TRUE(std::isnan(chi_squared_above(1, 0.5)));
}

TEST(FisherSnedecor, TailIsSciPys) {
  const Json all = tails()["f"];
  ASSERT_GT(all.size(), 300u);
  for (const Json& one : all) {
    const double wanted = one[3];
    EXPECT_NEAR(f_above(one[0], one[1], one[2]) / wanted, 1, 1e-11)
        << one[0] << " with " << one[1] << " over " << one[2];
  }
}

TEST(FisherSnedecor, OfTwoDegreesIsAPowerAndOfManyBelowTheChiSquared) {
  // F(2, d): (1 + 2 x / d)^(-d / 2)
  for (const double x : {0.1, 1.0, 4.0, 30.0})
    EXPECT_NEAR(f_above(x, 2, 7) / std::pow(1 + 2 * x / 7, -3.5), 1, 1e-13);
  EXPECT_NEAR(f_above(2.5, 4, 1e7), chi_squared_above(10, 4), 1e-7);
  EXPECT_EQ(f_above(2.5, 4, INFINITY), chi_squared_above(10, 4));
  EXPECT_EQ(f_above(0, 4, 9), 1);
  EXPECT_EQ(f_above(INFINITY, 4, 9), 0);
  EXPECT_TRUE(std::isnan(f_above(NAN, 4, 9)));
}

}  // namespace
}  // namespace fovea::metrics
