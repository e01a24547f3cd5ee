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
  bool indices = false;                              // of listed classes, as the format has it
  char decimal = '.';                                // of numbers that are names: 1,0 is 1
  bool symbols = false;                              // a standard's, each written in one way
};

/// Reads classes as `options` say.
Labels read_labels(const std::string& name, const ClassesOptions& options, const LabelTexts& texts);

/// Counts the cases of each class (the entities of each type), or measures mean and deviation of a
/// number, among those of the training split (all where there is none). A data Error where a class,
/// or the number, has no training case.
TargetSpec learned_from_training(const Labels& labels, const std::vector<std::string>& splits);

/// Whether the tags of a text say an entity as it was written, and if not, why.
enum class Said : int64_t { by_tags, cut, unalignable };

/// The tags of each case for the tokens that the input makes of its text: int64 [L].
struct AlignedTags {
  std::vector<torch::Tensor> tags;
  /// Every entity as it was written, int64 [K, 4]: begin and end in code points, type, and a Said.
  /// Figures are about these: what no tag can say is missed.
  std::vector<torch::Tensor> entities;
  std::vector<std::string> notes;  ///< of spans that no tags can say
};
/// A span is where its tokens are: one that begins or ends inside a token is tagged up to its border,
/// of two that share a token the first is tagged, and what is cut off with the text is not; each is
/// counted in a note. A span that is written twice counts once. A data Error with the line where one
/// ends beyond its text.
AlignedTags aligned(const Labels& labels, const Input& input,
                    const std::function<std::string(size_t)>& line);

/// For each case one class to stratify by, of a target that has classes; those that are not known
/// are a class of their own. Several labels: the rarest of the case that at least `least` groups
/// have.
std::vector<int64_t> strata(const Labels& labels, const std::vector<std::string>& groups,
                            int64_t least);

/// train, val or test for the usual other words (training, validation, valid, dev, testing), in any
/// case and with blanks around; else the word itself.
std::string split_named(std::string_view word);

/// "" for a split that may be meant: a known one, or a name of its own ("holdout") that is no slip of
/// the pen; else what to say of it: "'vaild' is no split; did you mean 'valid'? …".
std::string why_no_split(std::string_view word);

/// The split of each case, drawn by the shares; stratified by the first target that has classes.
std::vector<std::string> draw_splits(const SplitOptions& options, const std::vector<Labels>& labels,
                                     const std::vector<std::string>& groups, size_t cases,
                                     uint64_t seed);

}  // namespace fovea::sources
