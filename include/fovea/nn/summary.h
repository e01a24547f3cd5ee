// The layer table of a model: what `fovea inspect` prints.
#pragma once

#include <string>
#include <vector>

#include "fovea/nn/model.h"

namespace fovea::nn {

struct LayerRow {
  std::string name;  ///< "encoders.image.layer1.0.conv1"
  std::string type;  ///< "convolution", "linear", "batch norm", "attention", …
  std::vector<int64_t>
      output;                 ///< shape; empty for a parameter that no layer holds (a class token)
  int64_t parameters = 0;     ///< buffers are not counted
  int64_t multiply_adds = 0;  ///< of convolutions and matrix products, for the whole batch
};

struct Summary {
  std::vector<LayerRow> rows;  ///< in the order of the computation
  int64_t parameters = 0;
  int64_t trainable = 0;  ///< not frozen
  int64_t multiply_adds = 0;
};

/// Runs `inputs` through the model once, in evaluation mode and without gradients, and notes each
/// layer as it computes. The model's mode is as it was afterwards.
Summary summarize(Model& model, const TensorMap& inputs, const TensorMap& lengths = {});

}  // namespace fovea::nn
