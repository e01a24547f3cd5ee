// Rows of scores: what a query sees, and the softmax of it. Scores are in powers of two: log2(e) times those of the operator.
#pragma once

#include "attention/simd/rows.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

/// Keys that a query sees: those whose group is its own.
struct Seen {
  const std::int32_t* group;  // of each key, up to whole vectors
  std::int32_t own;
};

struct SightRoom {
  std::int32_t *group, *group_of_query;
  std::uint8_t* seen;

  FOVEA_INLINE SightRoom(const Problem& p, Arena& arena)
      : group(reinterpret_cast<std::int32_t*>(arena.take(padded(p.Nk)))),
        group_of_query(reinterpret_cast<std::int32_t*>(arena.take(padded(p.Nk)))),
        seen(reinterpret_cast<std::uint8_t*>(arena.take(p.Nk / 4 + 1))) {}
};

/// What hides keys of one head, and what is added to its scores.
class Sight {
 public:
  std::int64_t queries, keys;          // those within the lengths
  const std::uint8_t* seen = nullptr;  // of keys: hidden from every query; null: none is
  // All keys are seen, nothing is added: the softmax scales the products as it reads them.
  bool plain = false;

  FOVEA_INLINE Sight(const Problem& problem, std::int64_t batch, std::int64_t head,
                     const SightRoom& room)
      : queries(problem.queries(batch)),
        keys(problem.keys(batch)),
        p_(problem),
        b_(batch),
        bias_(problem.bias.data),
        scale_(static_cast<float>(problem.scale) * kLog2E),
        room_(room) {
    bias_from_ = b_ * p_.bias.stride[0] + head * p_.bias.stride[1];
    if (p_.mask.data) {
      mask_ = static_cast<const std::uint8_t*>(p_.mask.data) + b_ * p_.mask.stride[0] +
              head * p_.mask.stride[1];
      if (p_.mask.stride[2] == 0) {
        for (std::int64_t j = 0; j < keys; ++j) room.seen[j] = mask_[j * p_.mask.stride[3]];
        seen = room.seen;
        mask_ = nullptr;
      }
    }
    if (p_.windows.count > 0) look_at_window();
    plain = !bias_ && !seen && !region_ && !mask_ && !p_.causal && p_.scale > 0;
    for (std::int64_t j = 0; j < keys; ++j) room_.group[j] = region_ ? region_[j] : 0;
    for (std::int64_t j = 0; seen && j < keys; ++j)
      if (!seen[j]) room_.group[j] = kHidden;
    for (std::int64_t j = keys; j < padded(p_.Nk); ++j) room_.group[j] = kHidden;
  }

  /// The keys that some of the queries up to `end` may see.
  FOVEA_INLINE std::int64_t keys_until(std::int64_t end) const {
    return p_.causal && end < keys ? end : keys;
  }

  /// Of query i, until it is asked of another; the groups of `wide` keys.
  FOVEA_INLINE Seen seen_by(std::int64_t i, std::int64_t wide) const {
    const std::int32_t own = region_ ? region_[i] : 0;
    if (!mask_ && !p_.causal) return {room_.group, own};
    const std::int64_t last = p_.causal && i + 1 < wide ? i + 1 : wide;
    for (std::int64_t j = 0; j < last; ++j) room_.group_of_query[j] = room_.group[j];
    for (std::int64_t j = last; j < wide; ++j) room_.group_of_query[j] = kHidden;
    if (mask_) {
      const std::uint8_t* shown = mask_ + i * p_.mask.stride[2];
      for (std::int64_t j = 0; j < (last < keys ? last : keys); ++j)
        if (!shown[j * p_.mask.stride[3]]) room_.group_of_query[j] = kHidden;
    }
    return {room_.group_of_query, own};
  }

  /// Products of query i with keys from j on -> scores, -inf where hidden; `plain` ones are still to be multiplied by left().
  template <bool plain>
  FOVEA_INLINE Vec score(const float* products, Seen by, std::int64_t i, std::int64_t j) const {
    Vec x = load(products + j);
    if constexpr (!plain) {
      x *= scale_;
      if (bias_) x += added(i, j) * kLog2E;
    } else if (j + kLanes <= keys) {
      return x;
    }
    return load_ints(by.group + j) == by.own ? x : all(kNone);
  }
  FOVEA_INLINE float left() const { return plain ? scale_ : 1.0F; }

 private:
  static constexpr std::int32_t kHidden = -1;

  /// A window that lies within the image and one region hides nothing.
  FOVEA_INLINE void look_at_window() {
    const std::int64_t first = b_ % p_.windows.count * p_.Nq;
    const std::int32_t* place = p_.windows.place + first;
    const std::uint8_t* regions = p_.windows.region ? p_.windows.region + first : nullptr;
    for (std::int64_t j = 0; j < keys; ++j) {
      room_.seen[j] = place[j] >= 0;
      if (!room_.seen[j]) seen = room_.seen;
      if (regions && regions[j] != regions[0]) region_ = regions;
    }
  }

  FOVEA_INLINE Vec added(std::int64_t i, std::int64_t j) const {
    const std::int64_t at = bias_from_ + i * p_.bias.stride[2] + j * p_.bias.stride[3];
    const std::int64_t rest = keys - j;
    if (p_.bias_elem == Elem::bf16) return added(static_cast<const Bf16*>(bias_) + at, rest);
    return added(static_cast<const float*>(bias_) + at, rest);
  }
  template <class T>
  FOVEA_INLINE Vec added(const T* from, std::int64_t rest) const {
    const std::int64_t step = p_.bias.stride[3];
    if (step == 1) return rest >= kLanes ? load(from) : load_some(from, rest);
    Vec x{};
    for (std::int64_t l = 0; l < (rest < kLanes ? rest : kLanes); ++l)
      x[l] = number(from[l * step]);
    return x;
  }

  const Problem& p_;
  std::int64_t b_, bias_from_ = 0;
  const void* bias_;
  float scale_;
  const SightRoom& room_;
  const std::uint8_t* region_ = nullptr;  // of the positions of a window
  const std::uint8_t* mask_ = nullptr;    // of this head, where it differs between queries
};

FOVEA_INLINE void multiply(float* row, const float* factors, std::int64_t wide) {
  for (std::int64_t j = 0; j < wide; j += kLanes) store(row + j, load(row + j) * load(factors + j));
}

/// The softmax of a strip of rows, first without the division.
struct Softened {
  float *most, *total, *factor;  // per row: the largest score, the sum of 2^(score - most), 1 / sum
};

/// Row i: 2^(score - the largest score) of `wide` products. Of a row that sees nothing: 0.
template <bool plain>
FOVEA_INLINE void soften(const Sight& sight, float* row, std::int64_t i, std::int64_t wide,
                         float& most, float& total) {
  const Seen by = sight.seen_by(i, wide);
  const float scale = sight.left();
  Vec top = all(kNone);
  for (std::int64_t j = 0; j < wide; j += kLanes) {
    const Vec score = sight.score<plain>(row, by, i, j);
    store(row + j, score);
    top = larger(score, top);
  }
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

/// The lower 32 bits of a and b by turns.
template <int... I>
FOVEA_INLINE Words side_by_side(Wide a, Wide b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(reinterpret_cast<Words>(a), reinterpret_cast<Words>(b),
                                 (I % 2 ? kLanes + I - 1 : I)...);
}
/// Pairs of a and b by turns, from lane `from` on.
template <int from, int... I>
FOVEA_INLINE Words pairs(Words a, Words b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b,
                                 ((I % 4 < 2 ? from : kLanes + from - 2) + I / 4 * 2 + I % 4)...);
}

/// 1 / (1 - p) where dropout keeps a weight of query i, 0 elsewhere: of `wide` keys, two vectors at a time. A draw of four
/// words stands in 64 bits each, as the products need them; their upper halves are left over and mean nothing.
FOVEA_INLINE void draw(const Dropout& dropout, std::int64_t bh, std::int64_t i, std::int64_t wide,
                       float* kept) {
  constexpr auto each = std::make_integer_sequence<int, kLanes>();
  Wide count;
  for (unsigned l = 0; l < kLanes / 2; ++l) count[l] = l;
  for (std::int64_t j = 0; j < wide; j += 2 * kLanes) {
    Wide c0 = count + static_cast<std::uint32_t>(j / 4);
    Wide c1 = Wide{} + static_cast<std::uint32_t>(i), c2 = Wide{} + static_cast<std::uint32_t>(bh);
    Wide c3 = Wide{} + static_cast<std::uint32_t>(dropout.offset / 4);
    auto k0 = static_cast<std::uint32_t>(dropout.seed),
         k1 = static_cast<std::uint32_t>(dropout.seed >> 32);
    for (int round = 0; round < 7; ++round, k0 += 0x9E3779B9U, k1 += 0xBB67AE85U) {
      const Wide a = times(c0, 0xD2511F53U), b = times(c2, 0xCD9E8D57U);
      c0 = (b >> 32) ^ c1 ^ k0;
      c2 = (a >> 32) ^ c3 ^ k1;
      c1 = b;
      c3 = a;
    }
    const Words first = side_by_side(c0, c1, each), second = side_by_side(c2, c3, each);
    const Words words[2] = {pairs<0>(first, second, each), pairs<kLanes / 2>(first, second, each)};
    for (int half = 0; half < 2; ++half)
      store(kept + j + half * kLanes,
            words[half] >= dropout.threshold ? all(dropout.factor) : Vec{});
  }
}

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
