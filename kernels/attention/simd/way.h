// How numbers are multiplied: as floats, or bf16 in pairs, two products to each 32 bits of a vector, summed in fp32.
#pragma once

#include "attention/simd/rows.h"
#include "attention/simd/tile.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

/// Elements are read as floats.
template <class T>
struct Floats {
  using Op = Multiply;

  /// The rows as the A of a product over `depth` steps, or turned as its B.
  FOVEA_INLINE static Rows<T> read(const Rows<T>& rows) { return rows; }
  static constexpr std::int64_t depth(std::int64_t numbers) { return numbers; }

  /// Rows begin to end as the B of a product over them.
  FOVEA_INLINE static Block stacked(const Rows<T>& rows, std::int64_t begin, std::int64_t end,
                                    std::int64_t width, const std::uint8_t* seen, float* room) {
    return block_of(rows, begin, end, width, seen, room);
  }
  /// Weights [rows, wide] as the A of a product over keys (in their own place), and of one over queries.
  FOVEA_INLINE static Block across(float* weights, std::int64_t step, std::int64_t, std::int64_t) {
    return {weights, step};
  }
  FOVEA_INLINE static Block down(const float* weights, std::int64_t step, std::int64_t,
                                 std::int64_t, float*) {
    return {weights, step};
  }
};

#ifdef FOVEA_DOT
struct MultiplyPairs {
  FOVEA_INLINE static Vec add(Vec sum, float x, Vec row) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(all(x)),
                            reinterpret_cast<__m512bh>(row));
  }
};

/// Pairs of neighbours: bf16 rows are read where they are, two channels at a time. Of even widths and steps only.
struct Pairs {
  using Op = MultiplyPairs;

  static constexpr std::int64_t depth(std::int64_t numbers) { return (numbers + 1) / 2; }
  FOVEA_INLINE static Rows<float> read(const Rows<Bf16>& rows) {
    return {reinterpret_cast<float*>(rows.base), rows.step / 2, 1, rows.place};
  }

  /// Rows 2 n and 2 n + 1 side by side, channel by channel.
  FOVEA_INLINE static Block stacked(const Rows<Bf16>& rows, std::int64_t begin, std::int64_t end,
                                    std::int64_t width, const std::uint8_t* seen, float* room) {
    const std::int64_t wide = padded(width);
    const auto row = [&](std::int64_t n) {
      return n < end && !(seen && !seen[n]) ? rows.at(n) : nullptr;
    };
    for (std::int64_t n = begin; n < end; n += 2) {
      const Bf16 *first = row(n), *second = row(n + 1);
      float* to = room + (n - begin) / 2 * wide;
      std::int64_t c = 0;
      if (first && second)
        for (; c + kLanes <= width; c += kLanes)
          store(to + c, by_turns(halves(first + c), halves(second + c)));
      for (; c < wide; ++c) {
        const std::uint32_t low = first && c < width ? first[c] : 0,
                            high = second && c < width ? second[c] : 0;
        to[c] = __builtin_bit_cast(float, low | high << 16);
      }
    }
    return {room, wide};
  }

  FOVEA_INLINE static Block across(float* weights, std::int64_t step, std::int64_t rows,
                                   std::int64_t wide) {
    for (std::int64_t r = 0; r < rows; ++r) {
      float* row = weights + r * step;
      std::int64_t j = 0;
      for (; j + 2 * kLanes <= wide; j += 2 * kLanes)
        store(row + j / 2,
              reinterpret_cast<Vec>(_mm512_cvtne2ps_pbh(load(row + j + kLanes), load(row + j))));
      if (j < wide)
        store(row + j / 2, reinterpret_cast<Vec>(_mm512_cvtne2ps_pbh(Vec{}, load(row + j))));
    }
    return {weights, step};
  }
  FOVEA_INLINE static Block down(const float* weights, std::int64_t step, std::int64_t rows,
                                 std::int64_t wide, float* room) {
    for (std::int64_t r = 0; r < rows; r += 2)
      for (std::int64_t j = 0; j < wide; j += kLanes) {
        const Vec first = load(weights + r * step + j);
        const Vec second = r + 1 < rows ? load(weights + (r + 1) * step + j) : Vec{};
        store(room + r / 2 * wide + j,
              by_turns(reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first))));
      }
    return {room, wide};
  }
  /// Whether all rows can be read in pairs.
  FOVEA_INLINE static bool fits(const Problem& p) {
    const auto even = [](const View& view) {
      return !view.data || (view.stride[3] == 1 && view.stride[2] % 2 == 0);
    };
    return p.Dk % 2 == 0 && p.Dv % 2 == 0 && even(p.q) && even(p.k) && even(p.v) &&
           even(p.grad_out);
  }

 private:
  FOVEA_INLINE static __m256i halves(const Bf16* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  /// 16 numbers of one row and 16 of the next -> pairs.
  FOVEA_INLINE static Vec by_turns(__m512i both) {
    return reinterpret_cast<Vec>(_mm512_permutexvar_epi16(
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0),
        both));
  }
  FOVEA_INLINE static Vec by_turns(__m256i first, __m256i second) {
    return by_turns(_mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1));
  }
};
#endif

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
