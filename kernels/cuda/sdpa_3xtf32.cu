#include "cuda/family.cuh"

namespace fovea::cuda {
template int forward_of<MmaTf32<3>>(const SdpaArgs&);
template int sums_of<MmaTf32<3>>(const SdpaArgs&);
template int backward_of<MmaTf32<3>>(const SdpaArgs&);
}  // namespace fovea::cuda
