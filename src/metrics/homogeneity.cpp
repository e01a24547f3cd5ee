#include "fovea/metrics/homogeneity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fovea/metrics/distribution.h"
#include "metrics/cells.h"
#include "metrics/check.h"

namespace fovea::metrics {
namespace {

constexpr const char* kOneCell = "all cases are in one cell";

/// Numbers the cells that have a case in either sample.
size_t occupied(const Cells& a, const Cells& b, std::vector<int>& group) {
  int groups = 0;
  group.assign(a.counts.size(), -1);
  for (size_t i = 0; i < group.size(); ++i)
    if (a.counts[i] + b.counts[i] > 0) group[i] = groups++;
  return static_cast<size_t>(groups);
}

std::vector<int64_t> sums(const Cells& a, const Cells& b) {
  std::vector<int64_t> both = a.counts;
  for (size_t i = 0; i < both.size(); ++i) both[i] += b.counts[i];
  return both;
}

/// The cases of both samples in the smallest cell, as it would be with a case for each patient of the sample with
/// fewer.
double fewest_expected(const std::vector<int64_t>& both, const Cells& a, const Cells& b) {
  return real(std::ranges::min(both)) / real(a.cases() + b.cases()) *
         real(std::min(a.patients, b.patients));
}

/// Pools the cells until each has enough or two are left; `group`, a number for each, numbers those that are left.
size_t pool(const Cells& a, const Cells& b, Pooling pooling, std::vector<int>& group) {
  std::vector<int64_t> both = sums(a, b);
  while (both.size() > 2 && fewest_expected(both, a, b) < kFewestExpected) {
    const auto size = static_cast<int>(both.size());
    const auto least = static_cast<int>(std::ranges::min_element(both) - both.begin());
    int other = -1;
    for (int i = 0; i < size; ++i) {
      if (i == least || (pooling == Pooling::neighbours && std::abs(i - least) != 1)) continue;
      if (other < 0 || both[static_cast<size_t>(i)] < both[static_cast<size_t>(other)]) other = i;
    }
    const auto [first, second] = std::minmax(least, other);
    both[static_cast<size_t>(first)] += both[static_cast<size_t>(second)];
    both.erase(both.begin() + second);
    for (int& one : group) {
      if (one == second) one = first;
      if (one > second) --one;
    }
  }
  return both.size();
}

std::vector<double> shares(const Cells& a) {
  std::vector<double> result;
  for (const int64_t count : a.counts) result.push_back(real(count) / real(a.cases()));
  return result;
}

std::vector<double> shares_of_both(const Cells& a, const Cells& b) {
  std::vector<double> result;
  for (size_t i = 0; i < a.counts.size(); ++i)
    result.push_back(real(a.counts[i] + b.counts[i]) / real(a.cases() + b.cases()));
  return result;
}

/// The covariances of the shares of a sample of at least two patients; [k, k]. A patient adds the product of
/// what his cases are beyond the shares; the sum of these, from the pairs.
std::vector<double> covariance(const Cells& cells) {
  const size_t k = cells.counts.size();
  const std::vector<double> share = shares(cells);
  const double cases = real(cells.cases()), patients = real(cells.patients);
  std::vector<double> rows(k), result(k * k);
  const auto pairs = [&](size_t i, size_t j) {
    if (cells.single()) return i == j ? real(cells.counts[i]) : 0.0;
    return real(cells.pairs[place(i, j)]);
  };
  for (size_t i = 0; i < k; ++i)
    for (size_t j = 0; j < k; ++j) rows[i] += pairs(i, j);
  const double all = std::accumulate(rows.begin(), rows.end(), 0.0);
  for (size_t i = 0; i < k; ++i)
    for (size_t j = 0; j < k; ++j)
      result[i * k + j] =
          patients / (patients - 1) / (cases * cases) *
          (pairs(i, j) - share[i] * rows[j] - share[j] * rows[i] + share[i] * share[j] * all);
  return result;
}

/// Sum of (a - e)^2 / p over the cells.
double distance(const Cells& a, const Cells& b) {
  const std::vector<double> first = shares(a), second = shares(b), both = shares_of_both(a, b);
  double sum = 0;
  for (size_t i = 0; i < both.size(); ++i)
    sum += (first[i] - second[i]) * (first[i] - second[i]) / both[i];
  return sum;
}

/// The sum and the sum of squares of the eigenvalues that weigh the terms of `distance`, and what each sample
/// adds to the sum.
struct Weights {
  double of_a = 0, of_b = 0, squares = 0;
  double sum() const { return of_a + of_b; }
};

Weights weights_of(const Cells& a, const Cells& b) {
  const std::vector<double> both = shares_of_both(a, b);
  const std::vector<double> of_a = covariance(a), of_b = covariance(b);
  const size_t k = both.size();
  Weights weights;
  for (size_t i = 0; i < k; ++i) {
    weights.of_a += of_a[i * k + i] / both[i];
    weights.of_b += of_b[i * k + i] / both[i];
    for (size_t j = 0; j < k; ++j) {
      const double sum = of_a[i * k + j] + of_b[i * k + j];
      weights.squares += sum * sum / (both[i] * both[j]);
    }
  }
  return weights;
}

/// Corrects a statistic of cells of which each has a case.
void correct_for_patients(const Cells& a, const Cells& b, Homogeneity& result) {
  const Weights weights = weights_of(a, b);
  const double independent = result.degrees * (1 / real(a.cases()) + 1 / real(b.cases()));
  // Where all patients are made alike nothing varies; their cases are taken as independent then.
  result.design_effect = std::max(1.0, weights.sum() / independent);
  const double degrees = weights.squares > 0
                             ? std::max(1.0, weights.sum() * weights.sum() / weights.squares)
                             : result.degrees;
  const double share = weights.sum() > 0 ? weights.of_a / weights.sum() : 0.5;
  const double patients =
      1 / (share * share / real(a.patients - 1) + (1 - share) * (1 - share) / real(b.patients - 1));
  result.p = f_above(result.statistic.value / result.design_effect / result.degrees, degrees,
                     degrees * patients);
  result.method = "chi-squared, corrected for patients (Rao-Scott)";
}

/// Two tables of one probability differ in their rounding by less.
constexpr double kSameWeight = 1e-7;

/// The tables {{k, row - k}, {column - k, …}} of `all` cases, and how probable each is where rows and columns are
/// independent: the hypergeometric distribution of k.
class Tables {
 public:
  Tables(int64_t row, int64_t column, int64_t all)
      : least_(std::max<int64_t>(0, row + column - all)), most_(std::min(row, column)) {
    weights_.resize(static_cast<size_t>(most_ - least_ + 1));
    // From the most probable one on, each from the one before.
    const double mode = real(row + 1) * real(column + 1) / real(all + 2);
    const int64_t start = std::clamp(static_cast<int64_t>(mode), least_, most_);
    at(start) = 1;
    for (int64_t k = start; k < most_; ++k)
      at(k + 1) = at(k) * (real(row - k) / real(k + 1)) *
                  (real(column - k) / real(all - row - column + k + 1));
    for (int64_t k = start; k > least_; --k)
      at(k - 1) = at(k) * (real(k) / real(row - k + 1)) *
                  (real(all - row - column + k) / real(column - k + 1));
  }
  double weight(int64_t k) const { return weights_[static_cast<size_t>(k - least_)]; }
  /// The probability of the tables that are `counted`.
  template <class Counted>
  double sum(Counted counted) const {
    double those = 0, others = 0;
    for (int64_t k = least_; k <= most_; ++k) (counted(k) ? those : others) += weight(k);
    return those / (those + others);
  }

 private:
  double& at(int64_t k) { return weights_[static_cast<size_t>(k - least_)]; }
  int64_t least_, most_;
  std::vector<double> weights_;
};

/// How probable it is that at least as many patients of `a` have a case in cell 0 of two, where it has no larger
/// share of these than of `b`. One-sided, and on the safe side: x cases in q pairs belong to at least x x / q
/// patients of `a`, and to x of `b` at most; a patient of `a` has a case there with the probability of a single
/// case times his cases at most, so `b` counts as that many fewer.
double more_patients(const Cells& a, const Cells& b) {
  const double hit = real(a.counts[0]);
  const auto of_a = a.single() || hit == 0
                        ? a.counts[0]
                        : static_cast<int64_t>(std::ceil(hit * hit / real(a.pairs[0]) - 1e-9));
  const auto in_b = static_cast<int64_t>(real(b.patients) * real(a.patients) / real(a.cases()));
  const int64_t column = of_a + std::min(b.counts[0], in_b);
  return Tables(a.patients, column, a.patients + in_b).sum([&](int64_t k) { return k >= of_a; });
}

/// Finds the cells with too few cases, all but the largest, where together they hold less than half of the cases:
/// 0 for these in `group`, 1 for the others.
bool find_rare(const Cells& a, const Cells& b, std::vector<int>& group) {
  const std::vector<int64_t> both = sums(a, b);
  const auto largest = std::ranges::max_element(both) - both.begin();
  const double scale = real(std::min(a.patients, b.patients)) / real(a.cases() + b.cases());
  int64_t rare = 0;
  group.assign(both.size(), 1);
  for (size_t i = 0; i < both.size(); ++i) {
    if (static_cast<std::ptrdiff_t>(i) == largest || real(both[i]) * scale >= kFewestExpected)
      continue;
    group[i] = 0;
    rare += both[i];
  }
  return rare > 0 && 2 * rare < a.cases() + b.cases();
}

void check_pair(const Cells& a, const Cells& b) {
  a.check();
  b.check();
  check_sizes("cells of two samples", b.counts.size(), a.counts.size());
}

/// Why two samples cannot be compared; null where they can.
const char* missing_sample(const Cells& a, const Cells& b) {
  return a.cases() == 0   ? "the first sample has no case"
         : b.cases() == 0 ? "the second sample has no case"
                          : nullptr;
}

Homogeneity not_tested(std::string reason) {
  Homogeneity result;
  result.p = result.statistic = MetricValue::undefined(std::move(reason));
  return result;
}

/// The test of cells of which each has a case, after those with few are pooled.
Homogeneity test_pooled(const Cells& a, const Cells& b, Pooling pooling) {
  std::vector<int> group(a.counts.size());
  std::iota(group.begin(), group.end(), 0);
  const size_t groups = pool(a, b, pooling, group);
  const Cells first = regrouped(a, group, groups), second = regrouped(b, group, groups);
  const bool independent = a.single() && b.single();
  const bool sparse = fewest_expected(sums(first, second), a, b) < kFewestExpected;
  if (sparse && !independent)
    return not_tested("fewer than 5 patients are expected in one of two cells");
  Homogeneity result;
  result.degrees = real(static_cast<int64_t>(groups) - 1);
  if (sparse) {
    result.statistic = MetricValue::undefined("an exact test was made");
    result.p = fisher_exact(first.counts[0], first.counts[1], second.counts[0], second.counts[1]);
    result.method = "Fisher, exact";
    return result;
  }
  result.statistic = distance(first, second) / (1 / real(a.cases()) + 1 / real(b.cases()));
  result.p = chi_squared_above(result.statistic.value, result.degrees);
  result.method = "chi-squared";
  if (!independent) correct_for_patients(first, second, result);
  return result;
}

}  // namespace

double fisher_exact(int64_t a, int64_t b, int64_t c, int64_t d) {
  const Tables tables(a + b, a + c, a + b + c + d);
  return tables.sum([&, limit = tables.weight(a) * (1 + kSameWeight)](int64_t k) {
    return tables.weight(k) <= limit;
  });
}

Homogeneity test_homogeneity(const Cells& a, const Cells& b, Pooling pooling) {
  check_pair(a, b);
  if (const char* why = missing_sample(a, b)) return not_tested(why);
  std::vector<int> group, rare;
  const size_t groups = occupied(a, b, group);
  if (groups < 2) return not_tested(kOneCell);
  const Cells all_a = regrouped(a, group, groups), all_b = regrouped(b, group, groups);
  Homogeneity result = test_pooled(all_a, all_b, pooling);
  if (!find_rare(all_a, all_b, rare)) return result;
  if (groups == 2 && result.p.defined()) return result;  // exact already
  const Cells rare_a = regrouped(all_a, rare, 2), rare_b = regrouped(all_b, rare, 2);
  const double p_rare =
      std::min(1.0, 2 * std::min(more_patients(rare_a, rare_b), more_patients(rare_b, rare_a)));
  if (result.p.defined()) {
    result.p = std::min(1.0, 2 * std::min(result.p.value, p_rare));
    result.rare_cells = true;
  } else {
    result.p = p_rare;
    result.method = "Fisher, exact, of patients";
  }
  return result;
}

MetricValue distance_by_chance(const Cells& a, const Cells& b) {
  check_pair(a, b);
  if (const char* why = missing_sample(a, b)) return MetricValue::undefined(why);
  std::vector<int> group;
  const size_t groups = occupied(a, b, group);
  if (a.single() && b.single())
    return real(static_cast<int64_t>(groups) - 1) * (1 / real(a.cases()) + 1 / real(b.cases()));
  if (std::min(a.patients, b.patients) < 2)
    return MetricValue::undefined("a sample of one patient");
  return weights_of(regrouped(a, group, groups), regrouped(b, group, groups)).sum();
}

}  // namespace fovea::metrics
