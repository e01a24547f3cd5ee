// From the texts of labels to numbers and their meaning.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/data/example.h"
#include "fovea/sources/data_options.h"

namespace fovea::sources {

/// The labels of one target as they were written: per column the text of each case.
struct LabelTexts {
  std::string where;  // "labels.csv: column 'class'", how messages begin
  std::vector<std::string> columns;
  std::vector<std::vector<std::string_view>> cells;  // [column][case]
  std::function<std::string(size_t)> place;          // of a case: "line 7"
};

struct Labels {
  TargetSpec spec;       // counts not yet filled in
  torch::Tensor values;  // int64 [N], -1 where the class is not known; or float32 [N, L]
};

/// Reads labels as `options` say. A data Error with where, number of bad cells, the first five
/// places, the values found and the classes, where a label is outside the class list.
Labels read_labels(const std::string& name, const TargetOptions& options, const LabelTexts& texts);

/// Counts the cases of each class among those of the training split (all where there is none). A
/// data Error where a class has no training case.
void count_classes(TargetSpec& spec, const torch::Tensor& values,
                   const std::vector<std::string>& splits);

/// For each case one class to stratify by. Several labels: the rarest of the case that at least
/// `least` groups have.
std::vector<int64_t> strata(const Labels& labels, const std::vector<std::string>& groups,
                            int64_t least);

/// train, val or test for the usual other words (training, validation, valid, dev, testing), else
/// the word itself.
std::string split_named(std::string_view word);

/// The split of each case: from `given`, or drawn by the shares.
std::vector<std::string> draw_splits(const SplitOptions& options, const std::vector<Labels>& labels,
                                     const std::vector<std::string>& groups, size_t cases,
                                     uint64_t seed);

}  // namespace fovea::sources
