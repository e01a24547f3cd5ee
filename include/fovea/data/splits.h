// Which case is for training, which for validation, which for testing. All cases of one patient
// stay together: a patient on both sides would flatter every metric.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/core/few_names.h"

namespace fovea {

/// Split name and its share of the cases, e.g. {{"train", 0.7}, {"val", 0.1}, {"test", 0.2}}.
using Fractions = std::vector<std::pair<std::string, double>>;

/// The config Error of `split` where the fractions are not in (0, 1] or do not sum to 1.
void check_fractions(const Fractions& fractions);

/// The split of each case, drawn by groups and stratified: a function of the arguments only.
///
///   groups   the patient of each case; empty vector: each case is a group of its own
///   classes  the class of each case; empty vector: not stratified
///   names    of the classes, for messages; empty vector: their numbers
///
/// Groups are dealt in random order, each to the split that is furthest behind its share of the
/// group's classes; every split first gets one group of every class. A config Error where the
/// fractions are not in (0, 1] or do not sum to 1, or a split stays empty; a data Error where a
/// group is blank or a class has fewer groups than there are splits.
std::vector<std::string> split(const std::vector<std::string>& groups,
                               const std::vector<int64_t>& classes, const Fractions& fractions,
                               uint64_t seed, const std::vector<std::string>& names = {});

/// The splits of `cases` in their order: the first share of them, then the next one, each border at
/// the nearest case. The same config Error.
std::vector<std::string> split_in_order(size_t cases, const Fractions& fractions);

/// A group that is found in more than one split, with the first case in each of the first two.
struct SharedGroup {
  int64_t first;
  int64_t second;
};

/// All groups that are in more than one split; blank groups are unknown and share nothing.
std::vector<SharedGroup> shared_groups(const std::vector<std::string>& groups,
                                       const FewNames& splits);

/// A data Error where groups are shared, with their number and both splits, but no group's name.
void check_groups(const std::vector<std::string>& groups, const FewNames& splits);

}  // namespace fovea
