// Two samples, counted in the same cells (bins, categories, missing or not): are they of one distribution?
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// Cases counted in k cells, with what a test needs of how the cases of a patient resemble each other. No case
/// and no patient can be read from it, unless a cell holds a single one.
struct Cells {
  std::vector<int64_t> counts;  ///< [k]
  int64_t patients = 0;         ///< that have a case in a cell
  /// [k (k + 1) / 2], row after row of the lower triangle: the pairs of cases of one patient, each with itself
  /// too, the first of which is in one cell and the second in the other. Empty where no patient has two cases.
  std::vector<int64_t> pairs;

  int64_t cases() const;
  bool single() const { return pairs.empty(); }  ///< each patient has one case
  /// A data Error where sizes disagree, or numbers that no cases could have: it may have been read from a file.
  void check() const;
};

/// cells [n]: the cell of each case, below `count`; negative where it is in none. clusters [n]: the patient of
/// each case, from 0 on (bootstrap.h); empty: each case is one of its own.
Cells count_cells(std::span<const int32_t> cells, size_t count,
                  std::span<const uint32_t> clusters = {});

/// The first `kept` cells as they are, and all others as one.
Cells pool_after(const Cells& cells, size_t kept);

/// Below this many expected cases (of as many cases as there are patients) a cell is pooled: Cochran,
/// Biometrics 1954.
inline constexpr double kFewestExpected = 5;

/// What a cell with few cases is pooled with, again and again, until all have enough or two are left. This looks
/// only at the sums of both samples, so it does not favour a result.
enum class Pooling {
  neighbours,  ///< the smaller of those beside it: bins of a number
  smallest     ///< the smallest of all others: categories
};

struct Homogeneity {
  MetricValue p;
  MetricValue statistic;     ///< Pearson's; undefined where p is Fisher's
  double degrees = 0;        ///< of freedom of the statistic: the cells left, less one
  double design_effect = 1;  ///< how many cases of these are worth one independent case; at least 1
  std::string_view method;   ///< which test, in words; empty where undefined
  bool rare_cells = false;   ///< p is twice the smaller of that test's and of the one of rare cells
};

/// The test of homogeneity of two samples that share no patient.
/// - No patient has two cases: Pearson's chi-squared test, without a correction for continuity (Campbell,
///   Statistics in Medicine 2007); where two cells are left and one expects fewer than 5 cases, Fisher's exact test,
///   two-sided: the tables that are at most as probable.
/// - Otherwise that test is invalid, and the statistic is corrected by the mean and the spread of the design
///   effects of the shares, whose covariances are those between patients (Rao and Scott, Annals of Statistics 1984,
///   second order), and read from the F distribution, whose second degrees are those of as many patients (Thomas
///   and Rao, JASA 1987). Unlike a permutation of patients it needs one sample's sums only, so they can be frozen.
/// Pooling may hide a cell that one sample has nearly alone, such as a category that is new. So where the cells with
/// few cases hold less than half of all, a second test asks of these against the others: Fisher's, of patients
/// with and without a case there, with bounds of their numbers that the pairs give; p is twice the smaller of the
/// two tests' (Bonferroni), or the second's where the first is undefined.
/// Undefined where a sample is empty or all cases are in one cell; where patients have several cases, also where
/// fewer than 5 patients are expected in each of two cells.
Homogeneity test_homogeneity(const Cells& a, const Cells& b, Pooling pooling);

/// Fisher's test of the table {{a, b}, {c, d}}; 1 where a row or a column is empty.
double fisher_exact(int64_t a, int64_t b, int64_t c, int64_t d);

/// The mean of sum (a - e)^2 / p over the cells, a and e the shares of two samples and p of both, where both are
/// of one distribution: (k - 1)(1 / n + 1 / m) for k cells with a case and n and m independent cases, and as much
/// more as the patients' cases resemble each other. Undefined where a sample has fewer than two patients.
MetricValue distance_by_chance(const Cells& a, const Cells& b);

}  // namespace fovea::metrics
