// Drift: do the inputs of an evaluation look like those that the model was trained on? The training side is a
// frozen profile that travels with the model and holds no case: counts, quantiles between which there are
// several patients, names of categories that several patients have. The evaluated side is its values.
//
// Of a number: a Kolmogorov-Smirnov test needs every training value. Over a grid of frozen quantiles it is
// conservative, more so with ties, and sizes of images are nearly all ties; and no correction is known for
// patients with several cases. The counts of frozen bins are exact, whatever the ties, so the test is one of
// homogeneity over these. That the bins come from the data does not change its limit (Moore and Spruill,
// Annals of Statistics 1975), nor, with 20 training patients in each, its errors by much: simulated tests at 5 %
// err in 5 % where the training data are as many as the evaluated, and in up to 7 % where they are a tenth.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fovea/metrics/homogeneity.h"
#include "fovea/metrics/metric_value.h"

namespace fovea::metrics {

/// Between two quantiles, and with a category, so that its name is kept.
inline constexpr int64_t kFewestPatients = 5;
inline constexpr int64_t kFewestPatientsOfBin = 20;
inline constexpr size_t kMostQuantiles = 101;
inline constexpr size_t kMostCategories = 50;

/// A number of each case: a size in pixels, a spacing in mm, a mean intensity, a column.
struct NumberProfile {
  /// From the least to the largest value, evenly spaced, linear between two values (numpy's default): 101, fewer
  /// where there would be fewer than 5 patients between two, empty without a value.
  std::vector<double> quantiles;
  /// [k - 1], rising: bin i holds the numbers above edge i - 1 up to edge i, the outer bins are open. The edges are
  /// the deciles of the values (of fewer parts below 200 patients, none below 40), each once. A value that a
  /// part or more of the cases share has a bin of its own, so the number just below it is an edge too: where 95 %
  /// of the images are of one size, those that are smaller and those that are larger are seen.
  std::vector<double> edges;
  Cells bins;     ///< [k]
  Cells missing;  ///< [2]: cases with a value, and without
};

/// A category of each case: a view, a maker, a sex.
struct CategoryProfile {
  std::vector<std::string> names;  ///< those that most patients have first; at most 50
  /// [names + 1], the last of which holds all other categories: those that fewer than 5 patients have, which could
  /// name one, and those beyond 50.
  Cells cells;
  /// So many names are cells of the test, and all others are one: where a name follows that is nearly as frequent,
  /// chance decides which is kept, and a kept one is less frequent elsewhere. With hundreds of rare categories a test
  /// of 50 names would nearly always find drift. The next category has fewer patients by 3 standard errors; where
  /// there is no such step there is no test.
  size_t apart = 0;
  Cells missing;  ///< [2]: cases with a value, and without
};

/// values [n], NaN where missing; an infinite one is refused with a data Error, here and below. clusters [n]: the
/// patient of each case, from 0 on (bootstrap.h); empty: each case is one of its own.
NumberProfile profile_numbers(std::span<const double> values,
                              std::span<const uint32_t> clusters = {});
/// values [n], empty where missing.
CategoryProfile profile_categories(std::span<const std::string> values,
                                   std::span<const uint32_t> clusters = {});

/// Population stability index: sum of (a - e) log(a / e) over the bins, e their shares of the training cases and a of
/// the evaluated. A bin that is empty on one side only counts there as half a case, as is usual before a logarithm
/// (Gart and Zweifel, Biometrika 1967), or as the other side's share where that is less: nothing is learnt from the
/// absence of a case that was not expected.
MetricValue psi(std::span<const int64_t> training, std::span<const int64_t> evaluated);

/// The usual reading of the index (Siddiqi, Credit Risk Scorecards, 2006): below the first nothing has changed,
/// above the second much has. It knows nothing of the number of cases: see Drift::psi_by_chance.
inline constexpr double kPsiSome = 0.1;
inline constexpr double kPsiLarge = 0.25;

struct Drift {
  int64_t cases = 0;    ///< evaluated ones with a value
  int64_t missing = 0;  ///< and without
  /// Evaluated ones beyond the training data: below its least or above its largest number, or in a category that
  /// the profile does not name.
  int64_t outside = 0;
  MetricValue psi;  ///< over the bins, or the categories with all those not named as one
  /// What the index would be on average had nothing drifted: (bins - 1)(1 / n + 1 / m), and more where patients have
  /// several cases (Yurdakul and Naranjo, Journal of Risk Model Validation 2020). With 60 cases 0.15.
  MetricValue psi_by_chance;
  Homogeneity values;         ///< whether the values are of one distribution, by the same bins
  Homogeneity missing_rates;  ///< whether as many lack a value
};
/// The two hold different patients. A profile whose numbers do not fit each other is refused with a data Error.
Drift drift(const NumberProfile& training, std::span<const double> values,
            std::span<const uint32_t> clusters = {});
Drift drift(const CategoryProfile& training, std::span<const std::string> values,
            std::span<const uint32_t> clusters = {});

}  // namespace fovea::metrics
