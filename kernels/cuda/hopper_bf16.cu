#include "cuda/hopper_family.cuh"

namespace fovea::cuda {
template int hopper_forward<bf16>(const SdpaArgs&);
template int hopper_backward<bf16>(const SdpaArgs&);
}  // namespace fovea::cuda
