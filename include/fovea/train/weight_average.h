// An exponential moving average of a model's weights and of its normalisation statistics (Polyak
// and Juditsky 1992): usually the better model at the end.
#pragma once

#include <torch/types.h>

#include "fovea/train/state.h"

namespace fovea::nn {
class Model;
}

namespace fovea::train {

class WeightAverage {
 public:
  /// Starts at the weights as they are.
  WeightAverage(nn::Model& model, double decay);

  /// Takes the weights in after the n-th step with decay min(decay, (1 + n) / (10 + n)), so that
  /// the start is soon forgotten.
  void update();

  /// Exchanges the model's weights and their average, without copying. Twice is as before.
  void swap();

  /// The number of updates. The average itself is saved and restored as the model, swapped in.
  void state(State& s);

 private:
  std::vector<torch::Tensor> weights_, averages_;        // floating point: parameters and buffers
  std::vector<torch::Tensor> counters_, last_counters_;  // whole numbers: the last value
  double decay_;
  int64_t updates_ = 0;
};

/// Puts the average in place of the weights while it lives. Nothing where `average` is null.
class Averaged {
 public:
  explicit Averaged(WeightAverage* average) : average_(average) {
    if (average_) average_->swap();
  }
  ~Averaged() {
    if (average_) average_->swap();
  }
  Averaged(const Averaged&) = delete;
  Averaged& operator=(const Averaged&) = delete;

 private:
  WeightAverage* average_;
};

}  // namespace fovea::train
