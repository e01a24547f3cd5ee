// Metrics of parts of the cases, and how far these are apart.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fovea/metrics/estimate.h"

namespace fovea::metrics {

/// Fewer cases say little; gaps are between groups of at least as many.
inline constexpr int64_t kSmallGroup = 20;
/// Of fewer cases nothing is told unless somebody asks: they could be recognised.
inline constexpr int64_t kWithheldBelow = 5;

/// Which group each case is in: the values of a column, or of several columns together.
struct Grouping {
  std::string name;                 ///< "sex", "sex x age"
  std::vector<std::string> values;  ///< of the groups, in the order of the report
  std::vector<uint32_t> of_case;    ///< [n] index into values
  /// Groups that share a margin: of "sex x age" each list holds the groups of one sex, or of one age. Whoever
  /// knows the total of a line knows a single group that is withheld in it. Empty: all are one line.
  std::vector<std::vector<uint32_t>> lines;
};

struct GroupEstimates {
  std::string value;
  int64_t cases = 0;
  int64_t patients = 0;
  bool small = false;     ///< fewer than kSmallGroup cases
  bool withheld = false;  ///< then there are no estimates, and nobody should be told the two counts
  std::vector<Estimate> estimates;  ///< of the metrics over all cases
};

/// The largest difference between two groups of at least kSmallGroup cases, of one metric. The two are the
/// ones that are farthest apart here, so the interval is of these two and not of all pairs.
struct Gap {
  MetricKey key;
  std::string low_group, high_group;
  double difference = 0;  ///< high less low
  Bounds bounds;          ///< by the bootstrap
};

struct SubgroupEstimates {
  std::string name;
  std::vector<GroupEstimates> groups;
  std::vector<Gap> gaps;  ///< empty where fewer than two groups are large enough
};

/// `tell_all`: withholds nothing.
SubgroupEstimates subgroups(const Evaluated& evaluated, const Clusters& clusters,
                            const Grouping& grouping, const BootstrapOptions& options = {},
                            bool tell_all = false);

/// Which groups are withheld: those of fewer than kWithheldBelow cases (an empty one is not told of anyway), and,
/// so that no line's total gives one of them away, the smallest others until those withheld in a line hold at
/// least kWithheldBelow cases and are at least two.
std::vector<uint8_t> withheld(std::span<const int64_t> cases,
                              std::span<const std::vector<uint32_t>> lines);

}  // namespace fovea::metrics
