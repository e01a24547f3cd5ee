// Starts a Hopper kernel: a struct with `run(args, maps, shared memory)`, three warpgroups a block.
#pragma once

#include "cuda/hopper_tiles.cuh"
#include "cuda/launch.cuh"

namespace fovea::cuda {

constexpr int kHopperThreads = 3 * kGroup;

/// A map of boxes of 64 channels x 64 positions of `positions` x `channels` 16-bit elements. An error as a number.
int encode_map(TensorMap& map, const SdpaArgs& a, const View4& view, int positions, int channels);

/// The maps of what a pass reads.
inline int encode_maps(Maps& maps, const SdpaArgs& a) {
  int error = encode_map(maps.q, a, a.q, a.Nq, a.Dk);
  if (!error) error = encode_map(maps.k, a, a.k, a.Nk, a.Dk);
  if (!error) error = encode_map(maps.v, a, a.v, a.Nk, a.Dv);
  if (!error && a.grad_out.p) error = encode_map(maps.grad_out, a, a.grad_out, a.Nq, a.Dv);
  return error;
}

#if defined(__CUDACC__)

// Machine code for sm_90a alone: the body is empty in that for other GPUs, which never start it.
template <class Body>
__global__ void __launch_bounds__(kHopperThreads, 1)
    hopper_kernel(const __grid_constant__ SdpaArgs a, const __grid_constant__ Maps maps) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  extern __shared__ __align__(1024) unsigned char hopper_shared[];
  Body::run(a, maps, hopper_shared);
#endif
}

template <class Body>
int launch_hopper(const SdpaArgs& a, const Maps& maps) {
  const auto entry = &hopper_kernel<Body>;
  if (const cudaError_t error = cudaFuncSetAttribute(
          entry, cudaFuncAttributeMaxDynamicSharedMemorySize, Body::kSharedBytes))
    return error;
  return start(entry, Body::jobs(a), kHopperThreads, Body::kSharedBytes, a.stream, a, maps);
}

#else

template <class Body>
int launch_hopper(const SdpaArgs& a, const Maps& maps) {
  emulate::run(std::min(Body::jobs(a), std::int64_t{2}), kHopperThreads, Body::kSharedBytes,
               [&](unsigned char* shared) { Body::run(a, maps, shared); });
  return 0;
}

#endif

}  // namespace fovea::cuda
