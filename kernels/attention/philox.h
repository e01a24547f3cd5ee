// Philox4x32 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), the dropout of attention. One source
// for CPU, CUDA and the reference: the mask depends on where a weight stands, never on who computes it.
#pragma once

#include <array>
#include <cstdint>

// Inlined everywhere: a copy emitted by a file that is compiled for AVX-512 could be the one that the linker keeps for all.
#if defined(__CUDACC__)
#define FOVEA_INLINE __forceinline__
#else
#define FOVEA_INLINE inline __attribute__((always_inline))
#endif

namespace fovea::attention {

template <int Rounds = 7>
FOVEA_INLINE constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c,
                                                           std::uint32_t k0, std::uint32_t k1) {
  for (int round = 0; round < Rounds; ++round, k0 += 0x9E3779B9U, k1 += 0xBB67AE85U) {
    const std::uint64_t a = 0xD2511F53ULL * c[0], b = 0xCD9E8D57ULL * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(a)};
  }
  return c;
}

// Known answers: ten rounds are those of the paper's own test vectors.
static_assert(philox<7>({0, 0, 0, 0}, 0, 0)[0] == 0x5f6fb709U);
static_assert(philox<10>({0, 0, 0, 0}, 0, 0)[0] == 0x6627e8d5U);

/// Dropout of the weights with probability p.
struct Dropout {
  std::uint64_t seed = 0, offset = 0;
  std::uint32_t threshold = 0;  ///< round(p 2^32); a word below it drops its weight; 0: no dropout
  float factor = 1;             ///< of what is kept: 1 / (1 - p)

  FOVEA_INLINE static constexpr Dropout with(double p, std::uint64_t seed, std::uint64_t offset) {
    const double words = p * 4294967296.0 + 0.5;
    return {seed, offset, words < 4294967295.0 ? static_cast<std::uint32_t>(words) : 0xFFFFFFFFU,
            static_cast<float>(1 / (1 - p))};
  }

  /// The words of the weights of query `i` and keys 4 `j4` to 4 `j4` + 3 of head `bh` = batch * heads + head.
  FOVEA_INLINE constexpr std::array<std::uint32_t, 4> words(std::int64_t bh, std::int64_t i,
                                                            std::int64_t j4) const {
    return philox({static_cast<std::uint32_t>(j4), static_cast<std::uint32_t>(i),
                   static_cast<std::uint32_t>(bh), static_cast<std::uint32_t>(offset / 4)},
                  static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
  }
  FOVEA_INLINE constexpr bool keeps(std::int64_t bh, std::int64_t i, std::int64_t j) const {
    return words(bh, i, j / 4)[static_cast<std::size_t>(j % 4)] >= threshold;
  }
};

}  // namespace fovea::attention
