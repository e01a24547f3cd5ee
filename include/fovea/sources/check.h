// Everything a run would read, read once without training: `fovea check`.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "fovea/sources/source.h"

namespace fovea::sources {

struct CheckReport {
  /// Cases of one class in one split; several labels: cases with the label.
  struct Count {
    std::string split, target, class_name;
    int64_t cases = 0;
  };
  /// What the cases of one input are like. Of a table, `channels` are its columns and there are no
  /// sides; of a series, the only side is its length.
  struct Sizes {
    std::string input;
    std::vector<int64_t> channels;   ///< the numbers that occur
    std::vector<int64_t> smallest;   ///< [H, W] or [D, H, W], each side for itself
    std::vector<int64_t> largest;    ///< likewise
    double lowest = 0, highest = 0;  ///< of all values
    bool mixed = false;              ///< 2-D and 3-D
    bool text = false;               ///< `channels` are tokens, the values their ids
  };
  /// Cases of a split that read values which training cases read, too.
  struct Overlap {
    std::string input, split;
    int64_t cases = 0, of = 0;
  };
  struct Failure {
    std::string name, message;
  };
  /// Two cases with the same decoded content.
  struct Duplicate {
    std::string first, second;
    std::string first_split, second_split;
  };

  int64_t cases = 0;
  std::vector<std::pair<std::string, int64_t>> splits;  ///< with their cases
  std::vector<Count> counts;
  std::vector<Sizes> sizes;
  std::vector<Failure> failures;      ///< cases that could not be read, in their order
  std::vector<Duplicate> duplicates;  ///< each case with the first one like it
  std::vector<Overlap> overlaps;
  std::vector<std::string> constant;       ///< cases whose image or series is of one value only
  std::vector<std::string> made_constant;  ///< that are so only after the transforms
  tables::Findings found;  ///< of the source: how its columns were read; then notes of the readers

  /// Duplicates that lie in two splits: metrics on the later one would be flattering.
  int64_t duplicates_across_splits() const;
  /// What `train` would refuse or should not be trusted after; empty where all is well.
  std::vector<std::string> problems() const;
};

/// Reads every case with `threads` threads (0: one per processor), and puts it through `transform`,
/// that of evaluation, which draws nothing. `progress(done, all)` is called from one thread at a
/// time; where it says false the rest is not looked at. The report does not depend on the number of threads.
CheckReport check(const Source& source, int64_t threads = 0,
                  const std::function<bool(int64_t, int64_t)>& progress = {},
                  const ExampleTransform& transform = {});

}  // namespace fovea::sources
