// The layers of each head type.
#pragma once

#include <memory>
#include <vector>

#include "fovea/nn/encoder.h"
#include "fovea/nn/fusion.h"
#include "fovea/nn/head.h"

namespace fovea::nn {

/// What the encoders and the fusion gave in one forward pass; a place for each input.
struct Encoded {
  const std::vector<std::string>& names;
  const std::vector<Part>& parts;
  const std::vector<Features>& features;
  const std::vector<torch::Tensor>& joined;  ///< of the fusion: [N, width] of each branch
  const TensorMap& inputs;
  const TensorMap& lengths;
  double dropout = 0;  ///< 0 in evaluation mode
};

class Head {
 public:
  virtual ~Head() = default;
  /// Adds what it gives to `outputs`, under its name.
  virtual void forward(const Encoded& encoded, Outputs& outputs) const = 0;
};

/// What a head is built on. Its layers are registered in `parent`, under the head's name.
struct HeadPlace {
  const std::vector<std::string>& names;    ///< of the inputs
  const std::vector<InputShape>& shapes;    ///< of each
  const std::vector<EncoderPtr>& encoders;  ///< of each
  const std::vector<int64_t>& branches;     ///< widths of the fusion
  torch::nn::Module& parent;
};

/// A config Error where it reads an input that has no encoder.
std::unique_ptr<Head> make_head(const HeadSpec& spec, const HeadPlace& place);

}  // namespace fovea::nn
