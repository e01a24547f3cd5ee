// What the contracts of contracts.cu and contracts_hopper.cu share. As the kernels do, a contract runs on a GPU under nvcc and in
// the emulator under any other compiler: so the questions are tested where there is nobody to ask.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "cuda/hopper_launch.cuh"

namespace fovea::cuda {

inline int faults = 0;

inline void report(const std::string& what, int wrong, int all) {
  std::printf("%s %s: %d of %d wrong\n", wrong ? "FAILED" : "ok", what.c_str(), wrong, all);
  faults += wrong != 0;
}

/// What a kernel is given: a struct with `kThreads`, `kHopper` and `run(asked, shared memory)`.
struct Asked {
  SdpaArgs a;
  Maps maps = {};
  int first = 0, second = 0;
  const float *x = nullptr, *y = nullptr, *z = nullptr;
  void* out = nullptr;
};

#if defined(__CUDACC__)

inline void must(int error, const char* what) {
  if (error == 0) return;
  std::printf("FAILED %s: %s\n", what, cudaGetErrorString(static_cast<cudaError_t>(error)));
  std::exit(1);
}
/// Memory of host and GPU.
inline void* memory_for_both(std::size_t bytes) {
  void* p = nullptr;
  must(cudaMallocManaged(&p, bytes), "memory");
  return p;
}
inline void give_back(void* p) { cudaFree(p); }

template <class Body>
__global__ void __launch_bounds__(Body::kThreads, 1)
    contract_kernel(const __grid_constant__ Asked asked) {
  extern __shared__ __align__(1024) unsigned char contract_shared[];
#if !defined(__CUDA_ARCH_FEAT_SM90_ALL)
  if constexpr (!Body::kHopper)
#endif
    Body::run(asked, contract_shared);
}
template <class Body>
void ask(const Asked& asked, int blocks, int shared_bytes) {
  const auto kernel = &contract_kernel<Body>;
  const char* const name = "a kernel";
  must(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
       name);
  kernel<<<blocks, Body::kThreads, shared_bytes>>>(asked);
  must(cudaGetLastError(), name);
  must(cudaDeviceSynchronize(), name);
}

#else

inline void must(int error, const char* what) {
  if (error != 0) std::printf("FAILED %s: %d\n", what, error), std::exit(1);
}
inline void* memory_for_both(std::size_t bytes) {
  return std::aligned_alloc(128, (bytes + 127) / 128 * 128);
}
inline void give_back(void* p) { std::free(p); }

template <class Body>
void ask(const Asked& asked, int blocks, int shared_bytes) {
  emulate::run(blocks, Body::kThreads, shared_bytes,
               [&](unsigned char* shared) { Body::run(asked, shared); });
}

#endif

template <class T>
struct Array {
  T* data;
  int size;
  explicit Array(int size)
      : data(static_cast<T*>(memory_for_both(sizeof(T) * static_cast<std::size_t>(size)))),
        size(size) {
    std::memset(static_cast<void*>(data), 0xFF, sizeof(T) * static_cast<std::size_t>(size));  // NaN
  }
  Array(const Array&) = delete;
  ~Array() { give_back(data); }
};

/// From -4 to 4; no two neighbours or tiles alike.
inline float number(int i, int seed) {
  return static_cast<float>((i * 37 + i / 64 * 5 + seed * 11) % 9 - 4);
}

/// Row and column of element e of tile n of an accumulator.
FOVEA_DEVICE int row_of(int e) { return 16 * warp() + lane() / 4 + e / 2 * 8; }
FOVEA_DEVICE int column_of(int n, int e) { return 8 * n + lane() % 4 * 2 + e % 2; }

/// Those that need sm_90; false where none is called so.
bool hopper_contract(const std::string& name);

}  // namespace fovea::cuda
