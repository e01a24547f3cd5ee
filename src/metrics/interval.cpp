#include "fovea/metrics/interval.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea::metrics {
namespace {

/// a[0] + a[1] x + …, by Horner.
template <size_t n>
double polynomial(const double (&a)[n], double x) {
  double sum = a[n - 1];
  for (size_t k = n - 1; k-- > 0;) sum = sum * x + a[k];
  return sum;
}

constexpr double kCentreTop[] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                 1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                 3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr double kCentreBottom[] = {1.0,
                                    4.2313330701600911252e+1,
                                    6.8718700749205790830e+2,
                                    5.3941960214247511077e+3,
                                    2.1213794301586595867e+4,
                                    3.9307895800092710610e+4,
                                    2.8729085735721942674e+4,
                                    5.2264952788528545610e+3};
constexpr double kSideTop[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                               5.76949722146069140550e0,  3.64784832476320460504e0,
                               1.27045825245236838258e0,  2.41780725177450611770e-1,
                               2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr double kSideBottom[] = {1.0,
                                  2.05319162663775882187e0,
                                  1.67638483018380384940e0,
                                  6.89767334985100004550e-1,
                                  1.48103976427480074590e-1,
                                  1.51986665636164571966e-2,
                                  5.47593808499534494600e-4,
                                  1.05075007164441684324e-9};
constexpr double kTailTop[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                               1.78482653991729133580e0,  2.96560571828504891230e-1,
                               2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr double kTailBottom[] = {1.0,
                                  5.99832206555887937690e-1,
                                  1.36929880922735805310e-1,
                                  1.48753612908506148525e-2,
                                  7.86869131145613259100e-4,
                                  1.84631831751005468180e-5,
                                  1.42151175831644588870e-7,
                                  2.04426310338993978564e-15};

}  // namespace

double errors_of_level() { return normal_quantile(0.5 + kLevel / 2); }

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double two_sided_p(double z) { return std::erfc(std::abs(z) / std::numbers::sqrt2); }

double normal_quantile(double p) {
  if (!(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (p == 0 || p == 1)
    return p == 0 ? -std::numeric_limits<double>::infinity()
                  : std::numeric_limits<double>::infinity();
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kCentreTop, r) / polynomial(kCentreBottom, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double z = r <= 5 ? polynomial(kSideTop, r - 1.6) / polynomial(kSideBottom, r - 1.6)
                          : polynomial(kTailTop, r - 5) / polynomial(kTailBottom, r - 5);
  return q < 0 ? -z : z;
}

Interval logit_interval(double value, double variance) {
  if (!(value > 0 && value < 1))
    return Interval::undefined("at a value of 0 or 1 the estimated variance is 0 and says nothing");
  const double centre = std::log(value / (1 - value));
  const double reach = errors_of_level() * std::sqrt(variance) / (value * (1 - value));
  const auto back = [](double x) { return 1 / (1 + std::exp(-x)); };
  return {back(centre - reach), back(centre + reach)};
}

Interval wilson(double successes, double cases) {
  if (cases == 0) return Interval::undefined("no cases");
  const double z = errors_of_level(), z2 = z * z, share = successes / cases;
  const double centre = (share + z2 / (2 * cases)) / (1 + z2 / cases);
  const double reach =
      z / (1 + z2 / cases) * std::sqrt(share * (1 - share) / cases + z2 / (4 * cases * cases));
  // The bound at no success is 0, and not what is left of two equal numbers.
  return {successes == 0 ? 0 : std::max(0.0, centre - reach),
          successes == cases ? 1 : std::min(1.0, centre + reach)};
}

double cases_for_half_width(double wanted, double half_width, double cases) {
  return std::ceil(cases * (half_width / wanted) * (half_width / wanted));
}

}  // namespace fovea::metrics
