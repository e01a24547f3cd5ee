// The central nouns of data: an Example is one case in memory, a Batch is several of them stacked.
#pragma once

#include <torch/types.h>

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/data/schema.h"
#include "fovea/image/grid.h"

namespace fovea {

/// An ordered map name -> tensor. What a model reads, what it gives, what it should have given.
/// What it hands out by reference stays where it is when names are added.
class TensorMap {
 public:
  /// The tensor of `name`; an undefined one is added where there was none.
  torch::Tensor& operator[](std::string_view name);
  /// The tensor of `name`; an Error that lists the names there are, where there is none such.
  const torch::Tensor& at(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// The tensor of `name`, or null.
  const torch::Tensor* find(std::string_view name) const;
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  int64_t bytes() const;  ///< of all tensors
  auto begin() { return entries_.begin(); }
  auto end() { return entries_.end(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  std::list<std::pair<std::string, torch::Tensor>> entries_;
};

/// A text as it was written, and where its tokens stand in it.
struct WrittenText {
  std::string text;                                 ///< UTF-8
  std::vector<std::pair<int64_t, int64_t>> tokens;  ///< bytes from `first` on, before `second`
};

/// Where an image lies: as it was decoded, and after the transforms so far.
struct Placement {
  Grid original, current;
};

/// What a case was before it became tensors, kept where somebody will tell of it. It never leaves
/// the host, and no model sees it.
struct Origin {
  std::vector<std::pair<std::string, std::shared_ptr<const WrittenText>>> texts;  ///< by input
  std::vector<std::pair<std::string, Placement>> places;                          ///< of images
  TensorMap written;  ///< targets as they were written, where no tensor of theirs can say it all

  const WrittenText* text(std::string_view input) const;  ///< or null
  const Placement* place(std::string_view input) const;   ///< or null
  bool empty() const { return texts.empty() && places.empty() && written.empty(); }
  int64_t bytes() const;
};
using OriginPtr = std::shared_ptr<const Origin>;

/// One case on the CPU.
///   inputs   "image" [C, H, W] or [C, D, H, W], uint8 as decoded or float32; "text" [L] int64,
///            "series" [T, F], "table" [F]
///   targets  one class: int64 scalar, -1 where it is not known; several labels at once: float32
///            [L] of 0 and 1, NaN where a label is missing; a number: float32 scalar in its own
///            unit, NaN where it is missing; tags: int64 [L], of each token of the text 0 outside
///            any entity, 1 + 2 k at the first token of one of type k and 2 + 2 k at the others
struct Example {
  std::string id;
  std::string group;  ///< the patient; empty where unknown
  TensorMap inputs;
  TensorMap targets;
  OriginPtr origin = {};  ///< null where nothing is kept

  int64_t bytes() const {
    return inputs.bytes() + targets.bytes() + (origin ? origin->bytes() : 0);
  }
};

/// Examples stacked along a new first dimension.
struct Batch {
  std::vector<std::string> ids;
  std::vector<std::string> groups;
  std::vector<int64_t> indices;    ///< positions in the data set
  std::vector<OriginPtr> origins;  ///< of each case; null where nothing is kept
  TensorMap inputs;
  TensorMap targets;
  TensorMap lengths;  ///< of inputs that were padded: int64 [N]
  TensorMap
      present;  ///< of optional inputs: bool [N]; an input that no case has is not in `inputs`

  int64_t size() const { return static_cast<int64_t>(ids.size()); }
  int64_t bytes() const {
    return inputs.bytes() + targets.bytes() + lengths.bytes() + present.bytes();
  }
  /// A copy whose tensors live on `device`, but for the origins.
  Batch to(const torch::Device& device) const;
};

/// Stacks examples; `indices` are their positions in the data set. All must have the same inputs
/// and targets of the same shapes and types, else an Error that names id, input and both shapes.
/// Inputs that `schema` says are ragged are padded with zeros to the longest, and `lengths` say how
/// far each goes; where a case lacks an optional input there are zeros (of length 1), and `present`
/// says so.
Batch collate(std::vector<Example> examples, const std::vector<int64_t>& indices,
              const Schema& schema = {});

}  // namespace fovea
