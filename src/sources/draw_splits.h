// The names of splits, and splits drawn by shares.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/sources/data_options.h"

namespace fovea::sources {

/// For each case one class to stratify by, of a target that has classes; those that are not known
/// are a class of their own. Several labels: the rarest of the case that at least `least` groups
/// have.
std::vector<int64_t> strata(const std::vector<std::vector<int64_t>>& classes, bool exclusive,
                            size_t width, const std::vector<std::string>& groups, int64_t least);

/// The classes of each of these cases.
std::vector<std::vector<int64_t>> classes_of(const targets::Target& target,
                                             const std::vector<int64_t>& cases);

/// train, val or test for the usual other words (training, validation, valid, dev, testing), in any
/// case and with blanks around; else the word itself.
std::string split_named(std::string_view word);

/// "" for a split that may be meant: a known one, or a name of its own ("holdout") that is not a
/// typo; else what to say of it: "'vaild' is not a split; did you mean 'valid'? …".
std::string why_not_a_split(std::string_view word);

/// The split of each of these cases, drawn by the shares; stratified by the first target that has
/// classes.
std::vector<std::string> draw_splits(const SplitOptions& options,
                                     const std::vector<targets::TargetPtr>& targets,
                                     const std::vector<int64_t>& cases,
                                     const std::vector<std::string>& groups, uint64_t seed);

}  // namespace fovea::sources
