// What a kernel may ask of the machine: PTX under nvcc, an emulator under any other compiler. Kernels use nothing else of
// CUDA, so that the tests run the very same source on a CPU.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#include "cuda/ptx.h"
#else
#include "cuda/emulate.h"
#endif

namespace fovea::cuda {

// 16-bit floats as what they are in memory; Float<T> converts.
struct f16 {
  std::uint16_t bits;
};
struct bf16 {
  std::uint16_t bits;
};

template <class T>
struct Float;
template <>
struct Float<float> {
  static FOVEA_DEVICE float load(float x) { return x; }
  static FOVEA_DEVICE float store(float x) { return x; }
};
template <>
struct Float<f16> {
  static FOVEA_DEVICE float load(f16 x) { return float_of_half(x.bits); }
  static FOVEA_DEVICE f16 store(float x) {
    return {static_cast<std::uint16_t>(half_pair(x, 0.0F))};
  }
};
template <>
struct Float<bf16> {
  static FOVEA_DEVICE float load(bf16 x) {
    return float_of_bits(static_cast<std::uint32_t>(x.bits) << 16);
  }
  static FOVEA_DEVICE bf16 store(float x) {
    return {static_cast<std::uint16_t>(bfloat_pair(x, 0.0F))};
  }
};

constexpr int kWarp = 32;
constexpr float kLog2e = 1.4426950408889634F, kLn2 = 0.6931471805599453F;
constexpr float kInfinity = __builtin_huge_valf();

template <class T>
FOVEA_DEVICE T smaller(T a, T b) {
  return b < a ? b : a;
}
template <class T>
FOVEA_DEVICE T larger(T a, T b) {
  return a < b ? b : a;
}
FOVEA_DEVICE int lane() { return thread_index() % kWarp; }
FOVEA_DEVICE int warp() { return thread_index() / kWarp; }

// Host and device.
FOVEA_BOTH constexpr int round_up(int x, int step) { return (x + step - 1) / step * step; }
FOVEA_BOTH constexpr int pieces(int x, int step) { return (x + step - 1) / step; }

}  // namespace fovea::cuda
