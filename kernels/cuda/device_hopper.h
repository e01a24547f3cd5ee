// What a kernel may ask of sm_90a beyond device.h: copies of boxes by the tensor memory accelerator, barriers that count
// bytes, and products of a warpgroup (four warps). PTX under nvcc, an emulator under any other compiler.
#pragma once

#include "cuda/device.h"

#if defined(__CUDACC__)
#include "cuda/ptx_hopper.h"
#else
#include "cuda/emulate_hopper.h"
#endif

namespace fovea::cuda {

constexpr int kGroup = 4 * kWarp;  // threads of a warpgroup

FOVEA_DEVICE void wgmma(f16, auto& d, const auto& a, std::uint64_t b, bool add) {
  wgmma_f16(d, a, b, add);
}
FOVEA_DEVICE void wgmma(bf16, auto& d, const auto& a, std::uint64_t b, bool add) {
  wgmma_bf16(d, a, b, add);
}

}  // namespace fovea::cuda
