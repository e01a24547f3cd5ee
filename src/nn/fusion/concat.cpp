#include "fovea/nn/fusion/concat.h"

#include "nn/fusion/pooled.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class Concat final : public Fusion {
 public:
  explicit Concat(const Widths& widths) : width_(sum_of(widths)) {}
  std::vector<Tensor> join(const std::vector<Part>& parts) override {
    return {parts.size() == 1 ? parts[0].pooled : at::cat(pooled_of(parts), 1)};
  }
  std::vector<int64_t> widths() const override { return {width_}; }

 private:
  int64_t width_;
};

}  // namespace

FusionPtr concat(const ConcatOptions&, const Widths& widths) {
  return std::make_shared<Concat>(widths);
}

}  // namespace fovea::nn
