#pragma once

#include "fovea/nn/fusion.h"

namespace fovea::nn {

/// A head per input; the mean of the outputs (logits) of the inputs that a case has.
struct LateOptions {
  void describe(Fields&) {}
};
FusionPtr late(const LateOptions& options, const std::vector<PartWidths>& widths);

}  // namespace fovea::nn
