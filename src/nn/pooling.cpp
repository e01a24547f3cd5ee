#include <algorithm>

#include "fovea/nn/blocks.h"

namespace fovea::nn {

using torch::Tensor;

const std::vector<std::string>& pooling_names() {
  static const std::vector<std::string> names{"average", "attention", "two_branch"};
  return names;
}

Pooling::Pooling(const std::string& type, int64_t channels)
    : average_(type != "attention"),
      width_(type == "two_branch" ? 2 * channels : channels),
      channels_(channels) {
  if (type == "average") return;
  const int64_t inner = std::max<int64_t>(1, channels / 4);
  hidden_ = register_module("hidden", std::make_shared<Linear>(channels, inner));
  score_ = register_module("score", std::make_shared<Linear>(inner, 1));
}

Tensor Pooling::forward(const Tensor& map) {
  const Tensor tokens = positions(map);
  if (!score_) return tokens.mean(1);
  const Tensor weight = score_->forward(hidden_->forward(tokens).tanh_()).softmax(1);  // [N, L, 1]
  const Tensor seen = at::matmul(weight.transpose(1, 2), tokens).squeeze(1);
  return average_ ? at::cat({tokens.mean(1), seen}, 1) : seen;
}

}  // namespace fovea::nn
