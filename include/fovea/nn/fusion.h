// How the features of several inputs (a radiograph, its report, laboratory values) become one
// answer.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>
#include <vector>

#include "fovea/core/catalogue.h"

namespace fovea::nn {

/// What one input gives to the fusion.
struct Part {
  torch::Tensor pooled;   ///< [N, C]; a learned placeholder where the case lacks the input
  torch::Tensor tokens;   ///< [N, L, C], or undefined: `pooled` is the only token
  torch::Tensor mask;     ///< [N, L] bool, true where a case has a token; undefined: everywhere
  torch::Tensor present;  ///< [N] bool; undefined: every case has the input
};

/// Parts -> one or several vectors per case; the heads read each of them.
class Fusion : public torch::nn::Module {
 public:
  /// [N, width] of each branch, in the order of `widths`.
  virtual std::vector<torch::Tensor> join(const std::vector<Part>& parts) = 0;
  /// Of each branch. One branch per input: every input has heads of its own and the outputs of
  /// those that are present are averaged.
  virtual std::vector<int64_t> widths() const = 0;
};
using FusionPtr = std::shared_ptr<Fusion>;

/// Channels of a Part.
struct PartWidths {
  int64_t pooled = 0;
  int64_t tokens = 0;
};

using FusionTable = Catalogue<FusionPtr(const std::vector<PartWidths>&)>;
FusionTable& fusions();  ///< the table: src/nn/fusion.cpp

struct FusionChoice : Choice<FusionPtr(const std::vector<PartWidths>&)> {
  FusionChoice() : Choice(fusions(), "concat") {}
};

}  // namespace fovea::nn
