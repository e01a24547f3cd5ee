#include "fovea/nn/fusion/late.h"

#include "nn/fusion/pooled.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class Late final : public Fusion {
 public:
  explicit Late(const Widths& widths) {
    for (const PartWidths& width : widths) widths_.push_back(width.pooled);
  }
  std::vector<Tensor> join(const std::vector<Part>& parts) override { return pooled_of(parts); }
  std::vector<int64_t> widths() const override { return widths_; }

 private:
  std::vector<int64_t> widths_;
};

}  // namespace

FusionPtr late(const LateOptions&, const Widths& widths) { return std::make_shared<Late>(widths); }

}  // namespace fovea::nn
