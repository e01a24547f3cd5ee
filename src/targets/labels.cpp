#include "targets/labels.h"

namespace fovea::targets {

bool TensorTarget::known(int64_t index) const {
  if (values_.dim() != 1) return true;
  const torch::Tensor value = values_[index];
  return values_.is_floating_point() ? !value.isnan().item<bool>() : value.item<int64_t>() >= 0;
}

void TensorTarget::keep(const std::vector<int64_t>& cases) {
  values_ = values_.index_select(0, torch::tensor(cases, torch::kInt64));
}

}  // namespace fovea::targets
