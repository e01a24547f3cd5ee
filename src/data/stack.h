// A batch under construction: each example is written into its slice as soon as it is there, by any
// thread, so that nothing is copied twice.
#pragma once

#include <atomic>
#include <mutex>

#include "fovea/data/example.h"

namespace fovea {

class Stack {
 public:
  /// `schema` outlives the stack.
  Stack(int64_t size, const Schema& schema);

  int64_t size() const { return static_cast<int64_t>(examples_.size()); }

  /// Once for each slot, from any thread. The first example decides shapes and types.
  void put(int64_t slot, Example example, int64_t index);

  /// Bytes held so far; of inputs that are stacked at the end, what they will take: every case as
  /// long as the longest so far. 0 before the first put.
  int64_t bytes() const;

  /// The batch, when every slot was put. Where shapes or types differ, an Error about the first
  /// slot that is not like slot 0, whatever the order of the puts was.
  Batch finish();

 private:
  void make_room(const Example& first);
  void count(const Example& example);
  void place(TensorMap& from, const TensorMap& stacked, int64_t slot);
  void stack_apart(const InputSpec& spec);
  void pad_target(const std::string& name);
  bool apart(std::string_view name) const;  // stacked at the end: a ragged or optional input,
                                            // or a ragged target

  const Schema& schema_;
  mutable std::mutex mutex_;  // of the three below
  bool has_room_ = false;
  int64_t apart_bytes_ = 0, largest_apart_ = 0;  // held by the cases so far; by the largest of them
  std::atomic<bool> uneven_ = false;
  std::vector<Example> examples_;  // their tensors are slices of the batch once they are put
  Batch batch_;
};

}  // namespace fovea
