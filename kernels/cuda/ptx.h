// The instructions of sm_80+ that the kernels use, one function each.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#define FOVEA_DEVICE __device__ __forceinline__
#define FOVEA_BOTH __host__ __device__ __forceinline__

namespace fovea::cuda {

FOVEA_DEVICE int thread_index() { return static_cast<int>(threadIdx.x); }
FOVEA_DEVICE int thread_count() { return static_cast<int>(blockDim.x); }
FOVEA_DEVICE std::int64_t block_index() { return blockIdx.x; }
FOVEA_DEVICE std::int64_t block_count() { return gridDim.x; }
FOVEA_DEVICE void sync_block() { __syncthreads(); }
FOVEA_DEVICE float shuffle_xor(float x, int mask) { return __shfl_xor_sync(~0U, x, mask); }
FOVEA_DEVICE std::uint32_t shuffle_xor(std::uint32_t x, int mask) {
  return __shfl_xor_sync(~0U, x, mask);
}

FOVEA_DEVICE float float_of_bits(std::uint32_t bits) { return __uint_as_float(bits); }
FOVEA_DEVICE std::uint32_t bits_of_float(float x) { return __float_as_uint(x); }

FOVEA_DEVICE float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
FOVEA_DEVICE float log2_of(float x) { return log2f(x); }
/// Of a number and NaN the number.
FOVEA_DEVICE float larger(float a, float b) { return fmaxf(a, b); }

FOVEA_DEVICE float float_of_half(std::uint16_t bits) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(bits));
  return y;
}
/// Two floats rounded to nearest even; the first in the low half.
FOVEA_DEVICE std::uint32_t half_pair(float low, float high) {
  std::uint32_t y;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
  return y;
}
FOVEA_DEVICE std::uint32_t bfloat_pair(float low, float high) {
  std::uint32_t y;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
  return y;
}
FOVEA_DEVICE std::uint32_t tf32_of(float x) {
  std::uint32_t y;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
  return y;
}

FOVEA_DEVICE std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}
/// 16 bytes from global to shared memory, or 16 zero bytes: what is hidden is not even read.
FOVEA_DEVICE void copy_async(void* to, const void* from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(valid ? 16 : 0)
               : "memory");
}
FOVEA_DEVICE void copy_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int Pending>
FOVEA_DEVICE void copy_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

/// Four 8x8 matrices of 16-bit elements; lane l gives row l % 8 of matrix l / 8.
FOVEA_DEVICE void load_matrices(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
FOVEA_DEVICE void load_matrices_transposed(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

// d += a b on one warp.
#define FOVEA_MMA(name, shape, types)                                                            \
  FOVEA_DEVICE void name(float(&d)[4], const std::uint32_t(&a)[4], const std::uint32_t(&b)[2]) { \
    asm("mma.sync.aligned." shape ".row.col.f32." types                                          \
        ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                   \
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                         \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                     \
  }
FOVEA_MMA(mma_f16, "m16n8k16", "f16.f16")
FOVEA_MMA(mma_bf16, "m16n8k16", "bf16.bf16")
FOVEA_MMA(mma_tf32, "m16n8k8", "tf32.tf32")
#undef FOVEA_MMA

}  // namespace fovea::cuda
