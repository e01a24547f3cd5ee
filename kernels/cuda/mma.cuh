// Products of small tiles by the tensor cores: one policy per element type. Tiles lie row by row in shared memory, `pitch`
// elements apart; accumulators [n][4] are float tiles of 16 x 8 n in the layout of mma.sync: element e of a lane is row
// lane / 4 + 8 (e / 2) and column 8 n + 2 (lane % 4) + e % 2.
//
// The tensor cores do not round what they add to an accumulator, they cut it: each product takes half a unit in the last place
// on average, always toward zero. 16-bit results do not notice. Of fp32 the sums are kept short: one for each tile, apart from
// that of the small products, and what they give is added as other floats are.
#pragma once

#include "cuda/device.h"

namespace fovea::cuda {

/// fp16 and bf16: 16 deep.
template <class T>
struct Mma16 {
  using Element = T;
  static constexpr int kDeep = 16;
  static constexpr bool kShortSums = false;
  static constexpr int kPad =
      8;  // a pitch of an odd number of 16-byte units: ldmatrix without bank conflicts
  struct A {
    std::uint32_t r[4];
  };
  struct B {  // two tiles of eight columns
    std::uint32_t r[2][2];
  };

  static FOVEA_DEVICE A load_a(const T* tile, int pitch) {
    A a;
    load_matrices(a.r, tile + lane() % 16 * pitch + lane() / 16 * 8);
    return a;
  }
  /// a[m][k] = tile[k][m]; goes with load_b_rows.
  static FOVEA_DEVICE A load_a_columns(const T* tile, int pitch) {
    A a;
    load_matrices_transposed(a.r,
                             tile + (lane() % 8 + lane() / 16 * 8) * pitch + lane() / 8 % 2 * 8);
    return a;
  }
  /// b[k][n] = tile[n][k], n < 16.
  static FOVEA_DEVICE B load_b(const T* tile, int pitch) {
    std::uint32_t r[4];
    load_matrices(r, tile + (lane() % 8 + lane() / 16 * 8) * pitch + lane() / 8 % 2 * 8);
    return {{{r[0], r[1]}, {r[2], r[3]}}};
  }
  /// b[k][n] = tile[k][n], n < 16: for an `a` that was an accumulator.
  static FOVEA_DEVICE B load_b_rows(const T* tile, int pitch) {
    std::uint32_t r[4];
    load_matrices_transposed(r, tile + lane() % 16 * pitch + lane() / 16 * 8);
    return {{{r[0], r[1]}, {r[2], r[3]}}};
  }
  /// Columns 16 k to 16 k + 15 of an accumulator.
  template <int N>
  static FOVEA_DEVICE A from_accumulator(const float (&c)[N][4], int k) {
    const float(&x)[4] = c[2 * k], (&y)[4] = c[2 * k + 1];
    return {{pair(x[0], x[1]), pair(x[2], x[3]), pair(y[0], y[1]), pair(y[2], y[3])}};
  }
  static FOVEA_DEVICE void multiply(float (&d)[4], float (&)[4], const A& a, const B& b,
                                    int which) {
    if constexpr (kBrain)
      mma_bf16(d, a.r, b.r[which]);
    else
      mma_f16(d, a.r, b.r[which]);
  }

 private:
  static constexpr bool kBrain = __is_same(T, bf16);
  static FOVEA_DEVICE std::uint32_t pair(float low, float high) {
    return kBrain ? bfloat_pair(low, high) : half_pair(low, high);
  }
};

/// fp32: 8 deep, as one product of TF32 values (11 bits), or as three: x = high + low, and low * low is left out.
template <int Products>
struct MmaTf32 {
  using Element = float;
  static constexpr int kDeep = 8;
  static constexpr int kPad = 4;
  static constexpr int kParts = Products == 1 ? 1 : 2;
  static constexpr bool kShortSums = Products == 3;
  struct A {
    std::uint32_t r[kParts][4];
  };
  struct B {
    std::uint32_t r[2][kParts][2];
  };

  static FOVEA_DEVICE A load_a(const float* tile, int pitch) {
    const float* at = tile + lane() / 4 * pitch + lane() % 4;
    return split_a(at[0], at[8 * pitch], at[4], at[8 * pitch + 4]);
  }
  static FOVEA_DEVICE B load_b(const float* tile, int pitch) {
    const float* at = tile + lane() / 4 * pitch + lane() % 4;
    B b;
    for (int n = 0; n < 2; ++n) split_b(b, n, at[8 * n * pitch], at[8 * n * pitch + 4]);
    return b;
  }
  // The sum over k may run in any order if both factors agree: a lane keeps columns 2 t and 2 t + 1, which it has from the
  // accumulator, where the instruction means t and t + 4.
  static FOVEA_DEVICE B load_b_rows(const float* tile, int pitch) {
    const float* at = tile + lane() % 4 * 2 * pitch + lane() / 4;
    B b;
    for (int n = 0; n < 2; ++n) split_b(b, n, at[8 * n], at[pitch + 8 * n]);
    return b;
  }
  static FOVEA_DEVICE A load_a_columns(const float* tile, int pitch) {
    const float* at = tile + lane() % 4 * 2 * pitch + lane() / 4;
    return split_a(at[0], at[8], at[pitch], at[pitch + 8]);
  }
  template <int N>
  static FOVEA_DEVICE A from_accumulator(const float (&c)[N][4], int k) {
    return split_a(c[k][0], c[k][2], c[k][1], c[k][3]);
  }
  /// The small products go to an accumulator of their own.
  static FOVEA_DEVICE void multiply(float (&d)[4], float (&small)[4], const A& a, const B& b,
                                    int which) {
    if constexpr (kParts == 2) {
      mma_tf32(small, a.r[1], b.r[which][0]);
      mma_tf32(small, a.r[0], b.r[which][1]);
    }
    mma_tf32(d, a.r[0], b.r[which][0]);
  }

 private:
  static FOVEA_DEVICE void split(float x, std::uint32_t (&r)[kParts]) {
    r[0] = tf32_of(x);
    if constexpr (kParts == 2) r[1] = tf32_of(x - float_of_bits(r[0]));
  }
  static FOVEA_DEVICE A split_a(float x0, float x1, float x2, float x3) {
    const float x[4] = {x0, x1, x2, x3};
    A a;
    for (int i = 0; i < 4; ++i) {
      std::uint32_t parts[kParts];
      split(x[i], parts);
      for (int p = 0; p < kParts; ++p) a.r[p][i] = parts[p];
    }
    return a;
  }
  static FOVEA_DEVICE void split_b(B& b, int n, float x0, float x1) {
    const float x[2] = {x0, x1};
    for (int i = 0; i < 2; ++i) {
      std::uint32_t parts[kParts];
      split(x[i], parts);
      for (int p = 0; p < kParts; ++p) b.r[n][p][i] = parts[p];
    }
  }
};

template <int N>
FOVEA_DEVICE void add_to(float (&sum)[N][4], const float (&x)[N][4]) {
#pragma unroll
  for (int n = 0; n < N; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) sum[n][e] += x[n][e];
}

/// c += rows cols', both `depth` deep: rows 16 x depth, cols 8 N x depth.
template <class M, int N>
FOVEA_DEVICE void product(float (&c)[N][4], const typename M::Element* rows,
                          const typename M::Element* cols, int pitch, int depth) {
  float small[N][4] = {};
#pragma unroll 1
  for (int k = 0; k < depth; k += M::kDeep) {
    const typename M::A a = M::load_a(rows + k, pitch);
#pragma unroll
    for (int n = 0; n < N; n += 2) {
      const typename M::B b = M::load_b(cols + 8 * n * pitch + k, pitch);
      M::multiply(c[n], small[n], a, b, 0);
      M::multiply(c[n + 1], small[n + 1], a, b, 1);
    }
  }
  if constexpr (M::kShortSums) add_to(c, small);
}

/// sum += weights tile: weights an accumulator 16 x 8 N, tile 8 N x width, of which the first `width` <= 8 W columns count.
template <class M, int W, int N>
FOVEA_DEVICE void weighted_sum(float (&sum)[W][4], const float (&weights)[N][4],
                               const typename M::Element* tile, int pitch, int width) {
  constexpr int kSteps = 8 * N / M::kDeep;
  if constexpr (M::kShortSums) {
    typename M::A a[kSteps];
#pragma unroll
    for (int k = 0; k < kSteps; ++k) a[k] = M::from_accumulator(weights, k);
#pragma unroll
    for (int w = 0; w < W; w += 2) {
      if (8 * w >= width) break;
      float part[2][4] = {}, small[2][4] = {};
#pragma unroll
      for (int k = 0; k < kSteps; ++k) {
        const typename M::B b = M::load_b_rows(tile + k * M::kDeep * pitch + 8 * w, pitch);
        M::multiply(part[0], small[0], a[k], b, 0);
        M::multiply(part[1], small[1], a[k], b, 1);
      }
      add_to(part, small);
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        sum[w][e] += part[0][e];
        sum[w + 1][e] += part[1][e];
      }
    }
    return;
  }
  float none[4] = {};
#pragma unroll
  for (int k = 0; k < kSteps; ++k) {
    const typename M::A a = M::from_accumulator(weights, k);
#pragma unroll
    for (int w = 0; w < W; w += 2) {
      if (8 * w >= width) break;
      const typename M::B b = M::load_b_rows(tile + k * M::kDeep * pitch + 8 * w, pitch);
      M::multiply(sum[w], none, a, b, 0);
      M::multiply(sum[w + 1], none, a, b, 1);
    }
  }
}

/// sum += weights' tile, both `depth` deep: of the weights 16 columns, of the tile 8 W.
template <class M, int W>
FOVEA_DEVICE void transposed_sum(float (&sum)[W][4], const typename M::Element* weights,
                                 int weights_pitch, const typename M::Element* tile, int pitch,
                                 int depth) {
  float small[W][4] = {};
#pragma unroll 1
  for (int k = 0; k < depth; k += M::kDeep) {
    const typename M::A a = M::load_a_columns(weights + k * weights_pitch, weights_pitch);
#pragma unroll
    for (int w = 0; w < W; w += 2) {
      const typename M::B b = M::load_b_rows(tile + k * pitch + 8 * w, pitch);
      M::multiply(sum[w], small[w], a, b, 0);
      M::multiply(sum[w + 1], small[w + 1], a, b, 1);
    }
  }
  if constexpr (M::kShortSums) add_to(sum, small);
}

}  // namespace fovea::cuda
