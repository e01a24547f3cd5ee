#pragma once

#include "fovea/nn/fusion.h"

namespace fovea::nn {

/// One behind the other, the placeholder where an input is missing.
struct ConcatOptions {
  void describe(Fields&) {}
};
FusionPtr concat(const ConcatOptions& options, const std::vector<PartWidths>& widths);

}  // namespace fovea::nn
