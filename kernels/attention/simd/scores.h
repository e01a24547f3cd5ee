// Rows of scores: what a query sees, and the softmax of it. Scores are in powers of two: log2(e) times those of the operator.
#pragma once

#include "attention/simd/rows.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

/// What hides keys of one head, and what is added to its scores.
struct Sight {
  const Problem& p;
  std::int64_t b, h;
  std::int64_t queries, keys;            // those within the lengths
  const std::uint8_t* seen = nullptr;    // of keys: hidden from every query; null: none is
  const std::uint8_t* region = nullptr;  // of the positions of a window
  const float* bias = nullptr;           // of this head
  const Bf16* bias_bf16 = nullptr;       // or this one
  const std::uint8_t* mask = nullptr;    // of this head, where it differs between queries
  // All keys are seen, nothing is added: the softmax scales the products as it reads them.
  bool plain = false;

  /// `room` for the bytes of `seen`, Nk of them.
  FOVEA_INLINE Sight(const Problem& problem, std::int64_t batch, std::int64_t head,
                     std::uint8_t* room)
      : p(problem), b(batch), h(head), queries(problem.queries(batch)), keys(problem.keys(batch)) {
    const std::int64_t of_head = b * p.bias.stride[0] + h * p.bias.stride[1];
    if (p.bias.data && p.bias_elem == Elem::bf16)
      bias_bf16 = static_cast<const Bf16*>(p.bias.data) + of_head;
    else if (p.bias.data)
      bias = static_cast<const float*>(p.bias.data) + of_head;
    if (p.mask.data) {
      mask = static_cast<const std::uint8_t*>(p.mask.data) + b * p.mask.stride[0] +
             h * p.mask.stride[1];
      if (p.mask.stride[2] == 0) {
        for (std::int64_t j = 0; j < keys; ++j) room[j] = mask[j * p.mask.stride[3]];
        seen = room;
        mask = nullptr;
      }
    }
    if (p.windows.count > 0) look_at_window(room);
    plain = !p.bias.data && !seen && !region && !mask && !p.causal && p.scale > 0;
  }

  /// The keys that some of the queries up to `end` may see.
  FOVEA_INLINE std::int64_t keys_until(std::int64_t end) const {
    return p.causal && end < keys ? end : keys;
  }

  /// Products of query i with `count` keys -> scores; -inf where hidden, up to whole vectors.
  FOVEA_INLINE void score(float* row, std::int64_t i, std::int64_t count) const {
    if (count == 0) return;
    if (!plain) scale_and_hide(row, i, count);
    const std::int64_t last = padded(count) - kLanes;
    store(row + last,
          lanes() < static_cast<std::int32_t>(count - last) ? load(row + last) : all(kNone));
  }

 private:
  FOVEA_INLINE void scale_and_hide(float* row, std::int64_t i, std::int64_t count) const {
    const float scale = static_cast<float>(p.scale) * kLog2E;
    if (!p.bias.data)
      for (std::int64_t j = 0; j < count; j += kLanes) store(row + j, load(row + j) * scale);
    else if (bias_bf16)
      add_bias(row, bias_bf16 + i * p.bias.stride[2], p.bias.stride[3], count, scale);
    else
      add_bias(row, bias + i * p.bias.stride[2], p.bias.stride[3], count, scale);
    if (seen)
      for (std::int64_t j = 0; j < count; ++j) row[j] = seen[j] ? row[j] : kNone;
    if (region) {
      const std::uint8_t own = region[i];
      for (std::int64_t j = 0; j < count; ++j) row[j] = region[j] == own ? row[j] : kNone;
    }
    if (mask) {
      const std::uint8_t* shown = mask + i * p.mask.stride[2];
      const std::int64_t step = p.mask.stride[3];
      if (step == 1)
        for (std::int64_t j = 0; j < count; ++j) row[j] = shown[j] ? row[j] : kNone;
      else
        for (std::int64_t j = 0; j < count; ++j) row[j] = shown[j * step] ? row[j] : kNone;
    }
    if (p.causal)
      for (std::int64_t j = i + 1; j < count; ++j) row[j] = kNone;
  }

  /// A window that lies within the image and one region hides nothing.
  FOVEA_INLINE void look_at_window(std::uint8_t* room) {
    const std::int64_t first = b % p.windows.count * p.Nq;
    const std::int32_t* place = p.windows.place + first;
    const std::uint8_t* regions = p.windows.region ? p.windows.region + first : nullptr;
    for (std::int64_t j = 0; j < keys; ++j) {
      room[j] = place[j] >= 0;
      if (!room[j]) seen = room;
      if (regions && regions[j] != regions[0]) region = regions;
    }
  }

  template <class T>
  FOVEA_INLINE static void add_bias(float* row, const T* added, std::int64_t step,
                                    std::int64_t count, float scale) {
    std::int64_t j = 0;
    if (step == 1)
      for (; j + kLanes <= count; j += kLanes)
        store(row + j, load(row + j) * scale + load(added + j) * kLog2E);
    for (; j < count; ++j) row[j] = row[j] * scale + number(added[j * step]) * kLog2E;
  }
};

/// What the scores that `score` leaves are still to be multiplied by.
FOVEA_INLINE float left_to_scale(const Sight& sight) {
  return sight.plain ? static_cast<float>(sight.p.scale) * kLog2E : 1.0F;
}

FOVEA_INLINE void multiply(float* row, const float* factors, std::int64_t wide) {
  for (std::int64_t j = 0; j < wide; j += kLanes) store(row + j, load(row + j) * load(factors + j));
}

/// The softmax of a strip of rows, first without the division.
struct Softened {
  float *most, *total, *factor;  // per row: the largest score, the sum of 2^(score - most), 1 / sum
};

/// row = 2^(score - the largest score); scores are those of the row times `scale`. Of a row that sees nothing: 0.
FOVEA_INLINE void soften(float* row, std::int64_t wide, float scale, float& most, float& total) {
  Vec top = all(kNone);
  for (std::int64_t j = 0; j < wide; j += kLanes) top = larger(load(row + j), top);
  most = largest(top) * scale;  // above 0
  total = 0;
  if (most == kNone) return clear(row, wide);
  Vec sums{};
  for (std::int64_t j = 0; j < wide; j += kLanes) {
    const Vec weight = exp2(load(row + j) * scale - most);
    sums += weight;
    store(row + j, weight);
  }
  total = sum(sums);
}

/// Factors, and the natural logs of the sums of exp: +inf where nothing is seen.
FOVEA_INLINE void finish(const Softened& s, std::int64_t rows, float* lse) {
  for (std::int64_t r = 0; r < rows; r += kLanes) {
    const Vec total = load(s.total + r);
    const Vec logs = (load(s.most + r) + log2(total)) * (1 / kLog2E);
    store(s.factor + r, total > 0.0F ? 1.0F / total : Vec{});
    store(s.most + r, total > 0.0F ? logs : all(-kNone));
  }
  for (std::int64_t r = 0; r < rows; ++r) lse[r] = s.most[r];
}

using Words = std::uint32_t __attribute__((vector_size(4 * kLanes)));

using Wide = std::uint64_t __attribute__((vector_size(4 * kLanes)));

/// The products of the lower 32 bits. Compilers do not find this instruction by themselves.
FOVEA_INLINE Wide times(Wide a, std::uint32_t b) {
#if FOVEA_LANES == 16
  return reinterpret_cast<Wide>(
      _mm512_mul_epu32(reinterpret_cast<__m512i>(a), _mm512_set1_epi64(b)));
#elif FOVEA_LANES == 8
  return reinterpret_cast<Wide>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), _mm256_set1_epi64x(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<Wide>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), _mm_set1_epi64x(b)));
#else
  return (a & 0xffffffffULL) * b;
#endif
}

/// The lower half of the products, and the upper one.
template <int... I>
FOVEA_INLINE Words product_of(Words a, std::uint32_t b, Words& high,
                              std::integer_sequence<int, I...>) {
  const Words even = reinterpret_cast<Words>(times(reinterpret_cast<Wide>(a), b));
  const Words odd = reinterpret_cast<Words>(times(reinterpret_cast<Wide>(a) >> 32, b));
  high = __builtin_shufflevector(even, odd, (I % 2 ? kLanes + I : I + 1)...);
  return __builtin_shufflevector(even, odd, (I % 2 ? kLanes + I - 1 : I)...);
}

/// Half of the lanes of a and b by turns: the lower ones, or the upper.
template <bool upper, int... I>
FOVEA_INLINE Words by_turns(Words a, Words b, std::integer_sequence<int, I...>) {
  constexpr int from = upper ? kLanes / 2 : 0;
  return __builtin_shufflevector(a, b, (I % 2 ? kLanes + from + I / 2 : from + I / 2)...);
}

/// 1 / (1 - p) where dropout keeps a weight of query i, 0 elsewhere: of `wide` keys, up to 4 vectors at a time.
FOVEA_INLINE void draw(const Dropout& dropout, std::int64_t bh, std::int64_t i, std::int64_t wide,
                       float* kept) {
  constexpr auto each = std::make_integer_sequence<int, kLanes>();
  for (std::int64_t j = 0; j < wide; j += 4 * kLanes) {
    Words c0 = reinterpret_cast<Words>(lanes()) + static_cast<std::uint32_t>(j / 4);
    Words c1 = Words{} + static_cast<std::uint32_t>(i),
          c2 = Words{} + static_cast<std::uint32_t>(bh);
    Words c3 = Words{} + static_cast<std::uint32_t>(dropout.offset / 4);
    auto k0 = static_cast<std::uint32_t>(dropout.seed),
         k1 = static_cast<std::uint32_t>(dropout.seed >> 32);
    for (int round = 0; round < 7; ++round, k0 += 0x9E3779B9U, k1 += 0xBB67AE85U) {
      Words a_high, b_high;
      const Words a = product_of(c0, 0xD2511F53U, a_high, each),
                  b = product_of(c2, 0xCD9E8D57U, b_high, each);
      c0 = b_high ^ c1 ^ k0;
      c2 = a_high ^ c3 ^ k1;
      c1 = b;
      c3 = a;
    }
    const Words even[2] = {by_turns<false>(c0, c2, each), by_turns<true>(c0, c2, each)};
    const Words odd[2] = {by_turns<false>(c1, c3, each), by_turns<true>(c1, c3, each)};
    for (int half = 0; half < 2; ++half) {
      const Words first = by_turns<false>(even[half], odd[half], each),
                  second = by_turns<true>(even[half], odd[half], each);
      store(kept + j + 2 * half * kLanes, first >= dropout.threshold ? all(dropout.factor) : Vec{});
      store(kept + j + (2 * half + 1) * kLanes,
            second >= dropout.threshold ? all(dropout.factor) : Vec{});
    }
  }
}

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
