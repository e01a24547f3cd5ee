// Starts a kernel: a struct with `run(args..., shared memory)`, executed by a grid of blocks or by the emulator.
#pragma once

#include <algorithm>

#include "cuda/device.h"
#include "cuda/sdpa.h"

namespace fovea::cuda {

constexpr int kSharedOfAll = 99 << 10;  // what a block of every sm_80+ may ask for
constexpr std::int64_t kMostBlocks = 0x7FFFFFFF;

#if defined(__CUDACC__)

template <class Body, class... More>
__global__ void __launch_bounds__(128, 2) kernel(const __grid_constant__ SdpaArgs a, More... more) {
  extern __shared__ __align__(128) unsigned char shared[];
  Body::run(a, more..., shared);
}

/// The error is that of this launch alone; cudaGetLastError would also tell what somebody else did before.
template <class... Arguments>
int start(void (*entry)(Arguments...), std::int64_t blocks, int threads, int shared_bytes,
          void* stream, Arguments... arguments) {
  void* all[] = {&arguments...};
  const dim3 grid(static_cast<unsigned>(std::min(blocks, kMostBlocks)));
  return cudaLaunchKernel(
      reinterpret_cast<const void*>(entry), grid, dim3(static_cast<unsigned>(threads)), all,
      static_cast<std::size_t>(shared_bytes), static_cast<cudaStream_t>(stream));
}

inline int shared_limit() {
  int device = 0, bytes = 0;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) !=
          cudaSuccess)
    return kSharedOfAll;
  return bytes;
}

template <class Body, class... More>
int launch(std::int64_t jobs, int threads, int shared_bytes, const SdpaArgs& a, More... more) {
  if (jobs == 0) return cudaSuccess;
  const auto entry = &kernel<Body, More...>;
  if (shared_bytes > 48 << 10)
    if (const cudaError_t error =
            cudaFuncSetAttribute(entry, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes))
      return error;
  return start(entry, jobs, threads, shared_bytes, a.stream, a, more...);
}

#else

inline int shared_limit() { return kSharedOfAll; }

template <class Body, class... More>
int launch(std::int64_t jobs, int threads, int shared_bytes, const SdpaArgs& a, More... more) {
  if (jobs == 0) return 0;
  // Fewer blocks than jobs, so that a block's second job is tested too.
  emulate::run(std::min(jobs, std::int64_t{2}), threads, shared_bytes,
               [&](unsigned char* shared) { Body::run(a, more..., shared); });
  return 0;
}

#endif

/// With as many rows a block as fit: 16 a warp, four warps at most.
template <class Body, class... More>
int launch_rows(const SdpaArgs& a, More... more) {
  const int limit = shared_limit();
  int rows = 64;
  while (rows > 16 && Body::shared_bytes(a, rows) > limit) rows /= 2;
  return launch<Body>(Body::jobs(a, more..., rows), 2 * rows, Body::shared_bytes(a, rows), a,
                      more...);
}

}  // namespace fovea::cuda
