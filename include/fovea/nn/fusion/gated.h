#pragma once

#include "fovea/nn/fusion.h"

namespace fovea::nn {

/// Each input becomes tanh(W x); a softmax over the inputs, from all of them, says how much each
/// counts (Arevalo et al., ICLR workshop 2017). A missing one counts nothing.
struct GatedOptions {
  int64_t width = 128;
  void describe(Fields& f) { f("width", width, "channels of the fused features").above(0); }
};
FusionPtr gated(const GatedOptions& options, const std::vector<PartWidths>& widths);

}  // namespace fovea::nn
