// What the fusions share.
#pragma once

#include "fovea/nn/fusion.h"

namespace fovea::nn {

using Widths = std::vector<PartWidths>;

inline int64_t sum_of(const Widths& widths) {
  int64_t sum = 0;
  for (const PartWidths& width : widths) sum += width.pooled;
  return sum;
}

inline std::vector<torch::Tensor> pooled_of(const std::vector<Part>& parts) {
  std::vector<torch::Tensor> pooled;
  for (const Part& part : parts) pooled.push_back(part.pooled);
  return pooled;
}

}  // namespace fovea::nn
