// Mean and deviation.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace fovea::tables {

struct Spread {
  double mean = 0;
  double deviation = 0;  // of all the numbers, not of a sample
};

/// Of one number or more; none may be so large that its square, or so small that it, is lost.
inline Spread spread_of(const std::vector<double>& numbers) {
  const auto count = static_cast<double>(numbers.size());
  const auto [low, high] = std::ranges::minmax(numbers);
  if (low == high) return {low, 0};  // exactly: sums round
  const auto measured = [&](double unit) -> Spread {
    double sum = 0, squares = 0;
    for (const double number : numbers) sum += number / unit;
    const double mean = sum / count;
    for (const double number : numbers) squares += (number / unit - mean) * (number / unit - mean);
    return {mean * unit, std::sqrt(squares / count) * unit};
  };
  const Spread spread = measured(1);
  const bool lost = !std::isfinite(spread.deviation) || (spread.deviation == 0 && low < high);
  return lost ? measured(std::max(std::abs(low), std::abs(high))) : spread;
}

}  // namespace fovea::tables
