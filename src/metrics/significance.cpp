#include "fovea/metrics/significance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fovea::metrics {

MetricValue mcnemar(int64_t only_a, int64_t only_b) {
  const int64_t n = only_a + only_b, fewer = std::min(only_a, only_b);
  if (n == 0) return MetricValue::undefined("the two decide alike in all cases");
  if (2 * fewer == n) return 1;
  // The terms choose(n, k) 2^-n from k = fewer down; each is the one before times k / (n - k + 1), and those
  // too small to count are not added.
  const auto real = [](int64_t k) { return static_cast<double>(k); };
  double term = std::exp(std::lgamma(real(n) + 1) - std::lgamma(real(fewer) + 1) -
                         std::lgamma(real(n - fewer) + 1) - real(n) * std::log(2.0));
  double sum = 0;
  for (int64_t k = fewer; k >= 0 && term > sum * 1e-18; --k) {
    sum += term;
    term *= real(k) / real(n - k + 1);
  }
  return std::min(1.0, 2 * sum);
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::ranges::stable_sort(order, {}, [&](size_t i) { return p[i]; });
  std::vector<double> adjusted(p.begin(), p.end());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, static_cast<double>(order.size() - rank) * p[order[rank]]);
    adjusted[order[rank]] = std::min(1.0, largest);
  }
  return adjusted;
}

}  // namespace fovea::metrics
