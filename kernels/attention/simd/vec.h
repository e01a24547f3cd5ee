// Vectors of one instruction set, in the compiler's own vector types, so that the same text serves AVX-512, AVX2 and what
// every processor has; intrinsics only where compilers do not find the instruction. Included once by each file that is compiled for an instruction set, which defines
//   FOVEA_ISA   the namespace of it
//   FOVEA_LANES floats in a vector
//   FOVEA_ROWS(columns)  rows of a tile that has so many vectors side by side: what fits the registers
// Nothing here may be emitted as a function that another file could share: an AVX-512 copy that the linker keeps for all
// would stop older processors. Hence the unnamed namespace, and no header of the standard library but those of types;
// tests/attention/isa_test.cpp looks at the symbols.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "attention/problem.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

constexpr int kLanes = FOVEA_LANES;
using Vec = float __attribute__((vector_size(4 * kLanes)));
using Ints = std::int32_t __attribute__((vector_size(4 * kLanes)));
using Words = std::uint32_t __attribute__((vector_size(4 * kLanes)));  // may overflow
using Halves = std::uint16_t __attribute__((vector_size(2 * kLanes)));

using Bf16 = std::uint16_t;  // the upper half of a float
constexpr float kNone = -std::numeric_limits<float>::infinity();
constexpr float kLog2E = 1.44269504088896340736F;

FOVEA_INLINE Vec load(const float* from) {
  Vec v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
FOVEA_INLINE Ints load_ints(const std::int32_t* from) {
  Ints v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
FOVEA_INLINE Vec load(const Bf16* from) {
  Halves halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  return reinterpret_cast<Vec>(__builtin_convertvector(halves, Ints) << 16);
}
FOVEA_INLINE void store(float* to, Vec v) { __builtin_memcpy(to, &v, sizeof v); }
/// To the nearest, ties to even; a NaN stays one.
FOVEA_INLINE void store(Bf16* to, Vec v) {
#ifdef FOVEA_DOT
  const __m256bh halves = _mm512_cvtneps_pbh(v);
  __builtin_memcpy(to, &halves, sizeof halves);
#else
  const Words bits = reinterpret_cast<Words>(v);
  const Words rounded = bits + 0x7fffU + ((bits >> 16) & 1U);
  const Words kept = v == v ? rounded : bits | 0x400000U;
  const Halves halves = __builtin_convertvector(kept >> 16, Halves);
  __builtin_memcpy(to, &halves, sizeof halves);
#endif
}
/// The first `count` < kLanes numbers, then zeros; nothing behind them is read or written. A number on its own, stored and
/// then loaded with its neighbours, would make the load wait.
FOVEA_INLINE Vec load_some(const float* from, std::int64_t count) {
#if FOVEA_LANES == 16
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), from);
#else
  Vec v{};
  for (int l = 0; l < kLanes; ++l) v[l] = l < count ? from[l] : 0.0F;
  return v;
#endif
}
FOVEA_INLINE Vec load_some(const Bf16* from, std::int64_t count) {
#if FOVEA_LANES == 16
  const __m256i halves = _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1U << count) - 1), from);
  return reinterpret_cast<Vec>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
#else
  Ints bits{};
  for (int l = 0; l < kLanes; ++l) bits[l] = l < count ? from[l] : 0;
  return reinterpret_cast<Vec>(bits << 16);
#endif
}
FOVEA_INLINE void store_some(float* to, Vec v, std::int64_t count) {
#if FOVEA_LANES == 16
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1U << count) - 1), v);
#else
  for (int l = 0; l < count; ++l) to[l] = v[l];
#endif
}
FOVEA_INLINE float number(float x) { return x; }
FOVEA_INLINE float number(Bf16 x) {
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(x) << 16);
}
FOVEA_INLINE void put(float* to, float x) { *to = x; }
FOVEA_INLINE void put(Bf16* to, float x) {
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  *to = static_cast<Bf16>((x == x ? bits + 0x7fff + ((bits >> 16) & 1) : bits | 0x400000) >> 16);
}

FOVEA_INLINE Ints lanes() {
  Ints count;
  for (int l = 0; l < kLanes; ++l) count[l] = l;
  return count;
}
FOVEA_INLINE Vec all(float x) { return x - Vec{}; }
FOVEA_INLINE Vec larger(Vec a, Vec b) { return a > b ? a : b; }
/// Lanes exchanged with those `Step` away: log2(lanes) such steps combine all.
template <int Step, int... I>
FOVEA_INLINE Vec swapped(Vec v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I ^ Step)...);
}
template <int Step = kLanes / 2>
FOVEA_INLINE float sum(Vec v) {
  if constexpr (Step == 0)
    return v[0];
  else
    return sum<Step / 2>(v + swapped<Step>(v, std::make_integer_sequence<int, kLanes>()));
}
template <int Step = kLanes / 2>
FOVEA_INLINE float largest(Vec v) {
  if constexpr (Step == 0)
    return v[0];
  else
    return largest<Step / 2>(
        larger(v, swapped<Step>(v, std::make_integer_sequence<int, kLanes>())));
}

/// 2^x for x <= 0 within 2e-7 of it, relative; 0 of -inf, and of what floats cannot hold.
FOVEA_INLINE Vec exp2(Vec x) {
#if FOVEA_LANES == 16
  // 2^f of the fraction f from 0 to 1, exact at 0: least relative error of degree 5.
  const Vec f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  Vec p = f * 1.86713052e-3F + 9.01702885e-3F;
  p = p * f + 5.57999127e-2F;
  p = p * f + 2.40164444e-1F;
  p = p * f + 6.93151295e-1F;
  p = p * f + 1.0F;
  return _mm512_scalef_ps(p, x);
#else
  const Vec whole =
      (x + 12582912.0F) - 12582912.0F;  // 1.5 * 2^23: what is added rounds to an integer
  const Vec f = x - whole;              // -0.5 to 0.5: Taylor in f ln 2
  Vec p = f * 1.5403530e-4F + 1.3333558e-3F;
  p = p * f + 9.6181291e-3F;
  p = p * f + 5.5504109e-2F;
  p = p * f + 2.4022651e-1F;
  p = p * f + 6.9314718e-1F;
  p = p * f + 1.0F;
  // Its low bits are the integer.
  const Words power = reinterpret_cast<Words>(x + 12582912.0F) << 23;
  const Vec result = reinterpret_cast<Vec>(reinterpret_cast<Words>(p) + power);
  return x < -126.0F ? Vec{} : result;
#endif
}

/// log2 x of a normal number above 0, within 2e-7.
FOVEA_INLINE Vec log2(Vec x) {
  // x = 2^power m, m from sqrt(1/2) to sqrt(2); log m = 2 artanh t, t = (m - 1) / (m + 1), by its series.
  // Without signs where it could overflow: lanes beyond the last row hold anything.
  const Words bits = reinterpret_cast<Words>(x);
  const Ints power = reinterpret_cast<Ints>(bits - 0x3f3504f3u) >> 23;
  const Vec m = reinterpret_cast<Vec>(bits - (reinterpret_cast<Words>(power) << 23));
  const Vec t = (m - 1.0F) / (m + 1.0F), s = t * t;
  Vec p = s * 0.3205989F + 0.4121986F;
  p = p * s + 0.5770780F;
  p = p * s + 0.9617967F;
  p = p * s + 2.8853901F;
  return p * t + __builtin_convertvector(power, Vec);
}

/// Swaps rows and columns of a square of vectors: log2(lanes) rounds that each exchange halves of pairs.
template <int Step, int... I>
FOVEA_INLINE void exchange(Vec& a, Vec& b, std::integer_sequence<int, I...>) {
  const Vec low = __builtin_shufflevector(a, b, (I & Step ? I - Step + kLanes : I)...);
  const Vec high = __builtin_shufflevector(a, b, (I & Step ? I + kLanes : I + Step)...);
  a = low;
  b = high;
}
template <int Step = kLanes / 2>
FOVEA_INLINE void transpose(Vec (&rows)[kLanes]) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i)
    if (!(i & Step))
      exchange<Step>(rows[i], rows[i + Step], std::make_integer_sequence<int, kLanes>());
  if constexpr (Step > 1) transpose<Step / 2>(rows);
}

constexpr std::int64_t padded(std::int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
