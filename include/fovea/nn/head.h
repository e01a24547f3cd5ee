// What a task asks a model for, and what the model answers.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "fovea/data/example.h"

namespace fovea::nn {

/// A linear layer on the fused features of a case: [N, outputs].
struct Pooled {
  int64_t outputs = 1;
};

/// A linear layer on each token of `input`: [N, L, outputs], with Outputs::lengths where some are
/// padded. `transitions`: Outputs::transitions [outputs + 1, outputs + 1] is a parameter, zeros at
/// first; its last row and column stand for the ends.
struct PerToken {
  std::string input;
  int64_t outputs = 1;
  bool transitions = false;
};

/// A convolution of kernel 1 on the finest level of `input`'s features, brought to the size of the
/// input (linear between centres): [N, outputs, (D,) H, W].
struct Dense {
  std::string input;
  int64_t outputs = 1;
};

/// One output, `name`. To add a head type: a struct here and its layers in src/nn/heads.cpp.
struct HeadSpec {
  std::string name;
  std::variant<Pooled, PerToken, Dense> of = Pooled{};
};

/// Of one forward pass.
struct Outputs {
  TensorMap scores;       ///< by head: logits
  TensorMap lengths;      ///< by head per token: int64 [N], how many tokens each case has
  TensorMap transitions;  ///< by head per token
  TensorMap weights;      ///< by input, in evaluation mode: Features::weights

  const torch::Tensor& at(std::string_view head) const { return scores.at(head); }
};

}  // namespace fovea::nn
