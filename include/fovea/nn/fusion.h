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

/// Parts -> one or several vectors per case; the heads stand on each of them.
class Fusion : public torch::nn::Module {
 public:
  /// [N, width] of each branch, in the order of `widths`.
  virtual std::vector<torch::Tensor> join(const std::vector<Part>& parts) = 0;
  /// Of each branch. One branch per input: every input has heads of its own and the outputs of
  /// those that are present are averaged.
  virtual std::vector<int64_t> widths() const = 0;
};
using FusionPtr = std::shared_ptr<Fusion>;

/// One behind the other, the placeholder where an input is missing.
struct ConcatOptions {
  void describe(Fields&) {}
};

/// Each input becomes tanh(W x); a softmax over the inputs, from all of them, says how much each
/// counts (Arevalo et al., ICLR workshop 2017). A missing one counts nothing.
struct GatedOptions {
  int64_t width = 128;
  void describe(Fields& f) { f("width", width, "channels of the fused features").above(0); }
};

/// Each input asks: its pooled features attend over the tokens (words, time steps, positions of the
/// last feature map) of all others (Tsai et al., ACL 2019, with one layer). What is missing is not
/// seen.
struct CrossAttentionOptions {
  int64_t width = 128;
  int64_t heads = 4;
  double dropout = 0;
  void describe(Fields& f) {
    f("width", width, "channels per input").above(0);
    f("heads", heads, "must divide the width").above(0);
    f("dropout", dropout, "on the attention weights, during training").at_least(0).below(1);
  }
};

/// A head per input; the mean of the outputs (logits) of the inputs that a case has.
struct LateOptions {
  void describe(Fields&) {}
};

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
