// A batch under construction: each example is written into its slice as soon as it is there, by any
// thread, so that nothing is copied twice.
#pragma once

#include <atomic>
#include <mutex>

#include "fovea/data/example.h"

namespace fovea {

class Stack {
 public:
  explicit Stack(int64_t size);

  int64_t size() const { return static_cast<int64_t>(examples_.size()); }

  /// Once for each slot, from any thread. The first example decides shapes and types.
  void put(int64_t slot, Example example, int64_t index);

  /// Bytes of the whole batch; 0 before the first put.
  int64_t bytes() const;

  /// The batch, when every slot was put. Where shapes or types differ, an Error about the first
  /// slot that is not like slot 0, whatever the order of the puts was.
  Batch finish();

 private:
  void place(TensorMap& from, const TensorMap& stacked, int64_t slot);
  void stack_apart(const std::string& name);
  void pad_target(const std::string& name);

  mutable std::mutex mutex_;  // for the first put
  std::atomic<bool> uneven_ = false;
  std::vector<Example> examples_;   // their tensors are slices of the batch once they are put
  std::vector<std::string> apart_;  // inputs stacked at the end: ragged or optional ones
  std::vector<std::string> padded_targets_;
  Batch batch_;
};

}  // namespace fovea
