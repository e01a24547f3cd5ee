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
  const std::uint8_t* mask = nullptr;    // of this head, where it differs between queries

  /// `room` for the bytes of `seen`, Nk of them.
  FOVEA_INLINE Sight(const Problem& problem, std::int64_t batch, std::int64_t head,
                     std::uint8_t* room)
      : p(problem), b(batch), h(head), queries(problem.queries(batch)), keys(problem.keys(batch)) {
    if (p.bias.data)
      bias = static_cast<const float*>(p.bias.data) + b * p.bias.stride[0] + h * p.bias.stride[1];
    if (p.mask.data) {
      mask = static_cast<const std::uint8_t*>(p.mask.data) + b * p.mask.stride[0] +
             h * p.mask.stride[1];
      if (p.mask.stride[2] == 0) {
        for (std::int64_t j = 0; j < keys; ++j) room[j] = mask[j * p.mask.stride[3]];
        seen = room;
        mask = nullptr;
      }
    }
    if (p.windows.count == 0) return;
    const std::int64_t window = b % p.windows.count * p.Nq;
    if (p.windows.region) region = p.windows.region + window;
    const std::int32_t* place = p.windows.place + window;
    for (std::int64_t j = 0; j < keys; ++j) room[j] = place[j] >= 0;
    seen = room;
  }

  /// All keys are seen, nothing is added: the softmax scales the products as it reads them.
  FOVEA_INLINE bool plain() const {
    return !bias && !seen && !region && !mask && !p.causal && p.scale > 0;
  }

  /// The keys that some of the queries up to `end` may see.
  FOVEA_INLINE std::int64_t keys_until(std::int64_t end) const {
    return p.causal && end < keys ? end : keys;
  }

  /// Products of query i with `count` keys -> scores; -inf where hidden, up to whole vectors.
  FOVEA_INLINE void score(float* row, std::int64_t i, std::int64_t count) const {
    const std::int64_t wide = padded(count);
    if (!plain()) scale_and_hide(row, i, count);
    for (std::int64_t j = count; j < wide; ++j) row[j] = kNone;
  }

 private:
  FOVEA_INLINE void scale_and_hide(float* row, std::int64_t i, std::int64_t count) const {
    const float scale = static_cast<float>(p.scale) * kLog2E;
    if (!bias)
      for (std::int64_t j = 0; j < count; j += kLanes) store(row + j, load(row + j) * scale);
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

  FOVEA_INLINE static void add_bias(float* row, const float* added, std::int64_t step,
                                    std::int64_t count, float scale) {
    std::int64_t j = 0;
    if (step == 1)
      for (; j + kLanes <= count; j += kLanes)
        store(row + j, load(row + j) * scale + load(added + j) * kLog2E);
    for (; j < count; ++j) row[j] = row[j] * scale + added[j * step] * kLog2E;
  }
};

/// What the scores that `score` leaves are still to be multiplied by.
FOVEA_INLINE float left_to_scale(const Sight& sight) {
  return sight.plain() ? static_cast<float>(sight.p.scale) * kLog2E : 1.0F;
}

FOVEA_INLINE void multiply(float* row, const float* factors, std::int64_t wide) {
  for (std::int64_t j = 0; j < wide; j += kLanes) store(row + j, load(row + j) * load(factors + j));
}

struct Softmax {
  float most = kNone;  // the largest score; -inf where the query sees nothing
  float total = 0;     // of 2^(score - most)
};

/// row = 2^(score - the largest score); scores are those of the row times `scale`.
FOVEA_INLINE Softmax softmax(float* row, std::int64_t wide, float scale) {
  Vec top = all(kNone);
  for (std::int64_t j = 0; j < wide; j += kLanes) top = larger(load(row + j), top);
  top *= scale;  // above 0
  Softmax result{.most = largest(top)};
  if (result.most == kNone) {
    clear(row, wide);
    return result;
  }
  Vec total{};
  for (std::int64_t j = 0; j < wide; j += kLanes) {
    const Vec weight = exp2(load(row + j) * scale - result.most);
    total += weight;
    store(row + j, weight);
  }
  result.total = sum(total);
  return result;
}

/// 1 / (1 - p) where dropout keeps a weight of query i, 0 elsewhere; `wide` of them.
FOVEA_INLINE void draw(const Dropout& dropout, std::int64_t bh, std::int64_t i, std::int64_t wide,
                       float* kept) {
  using Wide = std::uint64_t __attribute__((vector_size(8 * kLanes)));
  using Words = std::uint32_t __attribute__((vector_size(4 * kLanes)));
  const Words lane = [] {
    Words count;
    for (int l = 0; l < kLanes; ++l) count[l] = static_cast<std::uint32_t>(l);
    return count;
  }();
  for (std::int64_t j = 0; j < wide; j += 4 * kLanes) {
    Words c0 = lane + static_cast<std::uint32_t>(j / 4),
          c1 = Words{} + static_cast<std::uint32_t>(i),
          c2 = Words{} + static_cast<std::uint32_t>(bh),
          c3 = Words{} + static_cast<std::uint32_t>(dropout.offset / 4);
    auto k0 = static_cast<std::uint32_t>(dropout.seed),
         k1 = static_cast<std::uint32_t>(dropout.seed >> 32);
    for (int round = 0; round < 7; ++round, k0 += 0x9E3779B9U, k1 += 0xBB67AE85U) {
      const Wide a = __builtin_convertvector(c0, Wide) * 0xD2511F53ULL;
      const Wide b = __builtin_convertvector(c2, Wide) * 0xCD9E8D57ULL;
      const Words a_low = __builtin_convertvector(a, Words),
                  b_low = __builtin_convertvector(b, Words);
      c0 = __builtin_convertvector(b >> 32, Words) ^ c1 ^ k0;
      c2 = __builtin_convertvector(a >> 32, Words) ^ c3 ^ k1;
      c1 = b_low;
      c3 = a_low;
    }
    const Words words[4] = {c0, c1, c2, c3};
    for (int l = 0; l < kLanes && j + 4 * l < wide; ++l)
      for (int w = 0; w < 4; ++w)
        kept[j + 4 * l + w] = words[w][l] >= dropout.threshold ? dropout.factor : 0.0F;
  }
}

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
