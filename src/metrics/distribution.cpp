#include "fovea/metrics/distribution.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace fovea::metrics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kTiny = std::numeric_limits<double>::min();
constexpr double kPrecision = std::numeric_limits<double>::epsilon() / 4;
constexpr int kMostTerms = 10'000'000;  // a few roots of the degrees are needed

/// ratio - 1 - log(ratio), at no loss where the ratio, 1 + m, is near 1 or near 0.
double above_logarithm(double ratio, double m) {
  if (std::abs(m) > 0.4) return ratio - 1 - std::log(ratio);
  // log(1 + m) = 2 (r + r^3 / 3 + r^5 / 5 + …)
  const double r = m / (2 + m), square = r * r;
  double sum = 0, power = 2 * r * square;
  for (int k = 3; std::abs(power) > kPrecision * std::abs(sum); k += 2) {
    sum += power / k;
    power *= square;
  }
  return r * m - sum;
}

/// Gamma(a) over Stirling's sqrt(2 pi / a) (a / e)^a: near 1.
double over_stirling(double a) {
  if (a < 10)
    return std::tgamma(a) * std::sqrt(a / (2 * std::numbers::pi)) * std::exp(a - a * std::log(a));
  const double s = 1 / (a * a);
  const double series =
      1 / 12. +
      s * (-1 / 360. + s * (1 / 1260. + s * (-1 / 1680. + s * (1 / 1188. + s * (-691 / 360360. +
                                                                                s * (1 / 156.))))));
  return std::exp(series / a);
}

/// b0 + a1 / (b1 + a2 / (b2 + …)) by Lentz's method; term(n) gives {a_n, b_n}, n from 1 on.
template <class Term>
double continued_fraction(double b0, Term term) {
  const auto away = [](double x) { return std::abs(x) < kTiny ? kTiny : x; };
  double value = away(b0), up = value, down = 0;
  for (int n = 1; n < kMostTerms; ++n) {
    const auto [a, b] = term(n);
    down = 1 / away(b + a * down);
    up = away(b + a / up);
    value *= up * down;
    if (std::abs(up * down - 1) <= 2 * std::numeric_limits<double>::epsilon()) break;
  }
  return value;
}

struct Term {
  double a, b;
};

/// The share of Beta(a, b) below x, where x is at most about its mean; y = 1 - x.
double beta_below(double a, double b, double x, double y) {
  const double total = a + b;
  // x^a y^b / B(a, b), from how far x is from the mean.
  const double to_x = total * x / a, to_y = total * y / b;
  const double far = a * above_logarithm(to_x, to_x - 1) + b * above_logarithm(to_y, to_y - 1);
  const double factor = std::sqrt(a * b / (2 * std::numbers::pi * total)) * std::exp(-far) *
                        over_stirling(total) / (over_stirling(a) * over_stirling(b));
  const double fraction = continued_fraction(1, [&](int n) {
    const double m = n / 2;
    if (n % 2 == 0) return Term{m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1};
    return Term{-(a + m) * (total + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1};
  });
  return factor / (a * fraction);
}

}  // namespace

double chi_squared_above(double x, double degrees) {
  if (std::isnan(x) || !(degrees >= 1)) return kNaN;
  if (x <= 0) return 1;
  if (std::isinf(x)) return 0;
  const double a = degrees / 2, half = x / 2;
  // half^a e^-half / Gamma(a)
  const double factor = std::sqrt(a / (2 * std::numbers::pi)) *
                        std::exp(-a * above_logarithm(half / a, (half - a) / a)) / over_stirling(a);
  if (half < a + 1) {
    double sum = 1, term = 1;
    for (int n = 1; n < kMostTerms && term > kPrecision * sum; ++n) sum += term *= half / (a + n);
    return 1 - factor / a * sum;
  }
  return factor / continued_fraction(half + 1 - a, [&](int n) {
           return Term{-n * (n - a), half + 1 - a + 2.0 * n};
         });
}

double f_above(double x, double degrees, double below_degrees) {
  if (std::isnan(x) || !(degrees >= 1) || !(below_degrees >= 1)) return kNaN;
  if (x <= 0) return 1;
  if (std::isinf(below_degrees)) return chi_squared_above(x * degrees, degrees);
  const double a = below_degrees / 2, b = degrees / 2;
  const double sum = below_degrees + degrees * x;
  if (std::isinf(sum)) return 0;
  const double below = below_degrees / sum, above = degrees * x / sum;
  return below < (a + 1) / (a + b + 2) ? beta_below(a, b, below, above)
                                       : 1 - beta_below(b, a, above, below);
}

}  // namespace fovea::metrics
