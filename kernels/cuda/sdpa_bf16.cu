#include "cuda/family.cuh"

namespace fovea::cuda {
template int forward_of<Mma16<bf16>>(const SdpaArgs&);
template int sums_of<Mma16<bf16>>(const SdpaArgs&);
template int backward_of<Mma16<bf16>>(const SdpaArgs&);
}  // namespace fovea::cuda
