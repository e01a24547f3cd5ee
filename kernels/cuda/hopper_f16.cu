#include "cuda/hopper_family.cuh"

namespace fovea::cuda {
template int hopper_forward<f16>(const SdpaArgs&);
template int hopper_backward<f16>(const SdpaArgs&);
}  // namespace fovea::cuda
