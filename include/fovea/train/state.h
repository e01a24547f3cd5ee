// What a run must remember in order to go on: named tensors and named numbers, nothing else, so
// that a checkpoint is plain. A part lists what it remembers once, and the same visit saves and
// restores:
//
//   void EarlyStop::state(State& s) { s("best", best_); s("epochs_without", epochs_without_); }
#pragma once

#include <map>

#include "fovea/data/example.h"

namespace fovea::train {

class State {
 public:
  State() = default;  ///< an empty one, to be filled by a visit
  /// One that gives back what was saved.
  State(TensorMap tensors, std::map<std::string, double> numbers)
      : tensors(std::move(tensors)), numbers(std::move(numbers)), restoring_(true) {}

  bool restoring() const { return restoring_; }
  /// False where a checkpoint of an older version is restored that does not know the entry.
  bool has(std::string_view name) const;
  /// Restoring, the tensor as it was saved, or null: for entries that had another shape once.
  const torch::Tensor* saved(std::string_view name) const;

  // Restoring, a data Error that names the entry where it is missing or of another shape or type.
  void operator()(std::string_view name, double& value);
  void operator()(std::string_view name, int64_t& value);  ///< exact up to 2^53
  void operator()(std::string_view name, bool& value);
  /// Saved as it is, without a copy; restored by copying into it, so strides and device stay.
  void operator()(std::string_view name, const torch::Tensor& value);

  /// Visits `part.state` with "name." before its names.
  template <class Part>
  void part(std::string_view name, Part& part) {
    const std::string before = prefix_;
    prefix_ += std::string(name) + ".";
    part.state(*this);
    prefix_ = before;
  }

  TensorMap tensors;
  std::map<std::string, double> numbers;

 private:
  std::string prefix_;
  bool restoring_ = false;
};

}  // namespace fovea::train
