// Tails of the distributions that tests are read from. The normal one is in interval.h.
#pragma once

#include "fovea/core/standard_library.h"

namespace fovea::metrics {

/// The probability of a number above x from the chi-squared distribution; degrees >= 1, whole or not. It is
/// the regularised incomplete gamma function Q(degrees / 2, x / 2): the series of DLMF 8.7.1 below its mean, the
/// continued fraction 8.9.2 above, their common factor from the distance to the mean, in which nothing large
/// cancels (Temme, SIAM J. Math. Anal. 1979). Within 1e-12 of its own size, down to 1e-300.
/// 1 where x <= 0; NaN where an argument is, or degrees < 1; here and below.
double chi_squared_above(double x, double degrees);

/// The same of the F distribution: the regularised incomplete beta function by its continued fraction (DLMF
/// 8.17.22). Where below_degrees is infinite it is the chi-squared one of x * degrees.
double f_above(double x, double degrees, double below_degrees);

}  // namespace fovea::metrics
