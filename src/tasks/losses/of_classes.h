// What the losses of classes and labels share.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "fovea/tasks/losses.h"
#include "fovea/tasks/losses/class_weights.h"

namespace fovea::tasks {

/// [K] float.
torch::Tensor row_of(const std::vector<double>& values);

/// The weights stay on the CPU until a batch comes from elsewhere; then they move once.
torch::Tensor beside(const torch::Tensor& weights, const torch::Tensor& logits);

/// [N] bool: which cases have a class, of indices (-1: none) or soft targets (NaN: none).
torch::Tensor known_of(const torch::Tensor& targets);

/// A config Error where the target is a number.
void check_classes(const TargetSpec& target, const char* loss);

/// A config Error unless there is a number for each class of the target.
void check_length(const std::vector<double>& values, const TargetSpec& target, const char* field);

/// The training cases of each class; balanced weights need all of them above 0.
const std::vector<int64_t>& counts_of(const TargetSpec& target, const char* field);

/// The cells whose target is known.
LossSum sum_of_known(const torch::Tensor& cells, const torch::Tensor& known);

/// "balanced class weights of 'label': normal 0.6 (100 cases), ill 3 (20 cases)"
std::string note_of(const char* what, const ClassWeights& weights, const TargetSpec& target,
                    const std::vector<double>& values);

}  // namespace fovea::tasks
