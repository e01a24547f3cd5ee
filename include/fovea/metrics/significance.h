// Tests of whether two models decide differently, and what several tests at once are worth.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// McNemar's test, exact and two-sided (McNemar 1947; the binomial form): `only_a` cases only the first
/// model decided rightly, `only_b` only the second. For independent cases. Undefined where both are 0.
MetricValue mcnemar(int64_t only_a, int64_t only_b);

/// The probabilities of several tests, each raised to what it is worth among all of them (Holm 1979), in the
/// order given. NaN, a test that could not be made, stays NaN and is not counted.
std::vector<double> holm(std::span<const double> p);

}  // namespace fovea::metrics
