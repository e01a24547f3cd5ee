// Scores of 16 rows and 8 N columns in the accumulators of one warp, and what is done to them element by element. Rows may
// be queries (columns are keys then) or keys.
#pragma once

#include "attention/philox.h"
#include "cuda/mma.cuh"
#include "cuda/tile.cuh"

namespace fovea::cuda {

/// Which rows and columns a block or a warp works on.
struct Strip {
  int row, column;      // the first positions
  Notes rows, columns;  // from there on

  FOVEA_DEVICE Strip of_warp() const {
    return {row + 16 * warp(), column, Notes(rows, 16 * warp()), columns};
  }
  static FOVEA_DEVICE int column_of(int n, int e) { return 8 * n + lane() % 4 * 2 + e; }

  /// A row or a column.
  struct Spot {
    int position, region;
  };
  FOVEA_DEVICE Spot of_row(int r) const { return {row + r, rows.region[r]}; }
  FOVEA_DEVICE Spot of_column(int c) const { return {column + c, columns.region[c]}; }
};

/// Whether a query sees a key; computed without a branch.
template <Side Rows>
FOVEA_DEVICE bool sees(const SdpaArgs& a, const Strip::Spot& row, const Strip::Spot& column) {
  const bool later = Rows == Side::query ? column.position > row.position  // is the key
                                         : row.position > column.position;
  return (row.region == column.region) & !(a.causal & later);
}

FOVEA_DEVICE float load_as(Elem elem, const void* p, std::int64_t index) {
  if (elem == Elem::f32) return static_cast<const float*>(p)[index];
  if (elem == Elem::f16) return Float<f16>::load(static_cast<const f16*>(p)[index]);
  return Float<bf16>::load(static_cast<const bf16*>(p)[index]);
}
FOVEA_DEVICE void store_as(Elem elem, void* p, std::int64_t index, float x) {
  if (elem == Elem::f32)
    static_cast<float*>(p)[index] = x;
  else if (elem == Elem::f16)
    static_cast<f16*>(p)[index] = Float<f16>::store(x);
  else
    static_cast<bf16*>(p)[index] = Float<bf16>::store(x);
}

/// What mask, bias and table add to the scores of a tile of `rows` x `columns`, -inf where a query does not see a key, in
/// shared memory and only where there is one: their types, strides and indices stay out of the registers of the products.
struct Addend {
  float* data;
  int rows, columns, pitch;

  static FOVEA_BOTH bool wanted(const SdpaArgs& a) { return a.mask.p || a.bias.p || a.table.p; }
  static FOVEA_BOTH int bytes(const SdpaArgs& a, int rows, int columns) {
    return wanted(a) ? round_up(rows * (columns + 1) * static_cast<int>(sizeof(float)), 16) : 0;
  }
  FOVEA_DEVICE Addend(const SdpaArgs& a, unsigned char*& shared, int rows, int columns)
      : data(reinterpret_cast<float*>(shared)), rows(rows), columns(columns), pitch(columns + 1) {
    shared += bytes(a, rows, columns);
  }

  /// `strip` is that of the whole tile. Neighbouring threads take neighbouring keys.
  template <Side Rows>
  FOVEA_DEVICE void fill(const SdpaArgs& a, const Head& head, const Strip& strip) const {
    if (!wanted(a)) return;
    const bool by_row = Rows == Side::key;
    const int inner = by_row ? rows : columns;
#pragma unroll 1
    for (int t = thread_index(); t < rows * columns; t += thread_count()) {
      const int r = by_row ? t % inner : t / inner, c = by_row ? t / inner : t % inner;
      const bool seen = sees<Rows>(a, strip.of_row(r), strip.of_column(c));
      data[r * pitch + c] = seen ? at<Rows>(a, head, strip, r, c) : -kInfinity;
    }
  }

  /// In base 2, without the table. A mask alike for all queries is in the notes.
  static FOVEA_DEVICE float of(const SdpaArgs& a, const Head& head, int i, int j) {
    if (a.mask.p && a.mask.s[2] != 0 &&
        !static_cast<const unsigned char*>(a.mask.p)[a.mask.at(head.b, head.h, i, j)])
      return -kInfinity;
    return a.bias.p ? load_as(a.bias_elem, a.bias.p, a.bias.at(head.b, head.h, i, j)) * kLog2e
                    : 0.0F;
  }
  static FOVEA_DEVICE float of_table(const SdpaArgs& a, int h, int bin) {
    return load_as(a.bias_elem, a.table.p, bin * a.table.s[0] + h * a.table.s[1]) * kLog2e;
  }

 private:
  template <Side Rows>
  static FOVEA_DEVICE float at(const SdpaArgs& a, const Head& head, const Strip& strip, int r,
                               int c) {
    const bool by_query = Rows == Side::query;
    const float x = by_query ? of(a, head, strip.row + r, strip.column + c)
                             : of(a, head, strip.column + c, strip.row + r);
    if (!a.table.p) return x;
    const int apart = strip.rows.bin[r] - strip.columns.bin[c];
    return x + of_table(a, head.h, middle_bin(a.windows) + (by_query ? apart : -apart));
  }
};

/// Products to scores in base 2: scaled, what is added, -inf where the query does not see the key. Each is a selection, and
/// the one branch is alike for the whole call: branches between the elements would take most of a kernel's time.
template <Side Rows, int N>
FOVEA_DEVICE void finish_scores(const SdpaArgs& a, const Strip& strip, const Addend& addend,
                                float (&s)[N][4]) {
  const float scale = a.scale * kLog2e;
  const int r = lane() / 4;
  if (Addend::wanted(a)) {
    const float* add = addend.data + (16 * warp() + r) * addend.pitch;
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const float more = add[e / 2 * 8 * addend.pitch + Strip::column_of(n, e % 2)];
        s[n][e] = more == -kInfinity ? more : s[n][e] * scale + more;
      }
    return;
  }
  const Strip::Spot rows[2] = {strip.of_row(r), strip.of_row(r + 8)};
#pragma unroll
  for (int n = 0; n < N; ++n)
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      const Strip::Spot column = strip.of_column(Strip::column_of(n, e));
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float& x = s[n][2 * half + e];
        x = sees<Rows>(a, rows[half], column) ? x * scale : -kInfinity;
      }
    }
}

/// Bit 4 n + e: whether dropout keeps element e of tile n; the warp's scores begin at row, column. One draw gives four
/// neighbouring keys, so lanes share draws.
template <Side Rows, int N>
FOVEA_DEVICE std::uint32_t kept(const SdpaArgs& a, const Head& head, int row, int column) {
  static_assert(N <= 8);
  if (a.drop_threshold == 0) return ~0U;
  const attention::Dropout dropout{static_cast<std::uint64_t>(a.rng[0]),
                                   static_cast<std::uint64_t>(a.rng[1])};
  const int across = lane() / 4, along = lane() % 4;
  std::uint32_t bits = 0;
#pragma unroll 1
  for (int n = 0; n < N; ++n) {  // a loop for the sake of compile time
    // What this lane draws, and where it stands among what it shares.
    const int which = Rows == Side::query ? along % 2 : across % 4;
    const int i =
        Rows == Side::query ? row + across + 8 * which : column + 8 * n + 2 * along + which % 2;
    const int j = Rows == Side::query ? column + 8 * n + along / 2 * 4
                                      : row + 8 * (which / 2) + across / 4 * 4;
    const auto words = dropout.words(head.bh, i, j / 4);
    std::uint32_t drawn = 0;
    for (unsigned k = 0; k < 4; ++k)
      drawn |= (words[k] >= a.drop_threshold ? 1U : 0U) << (4 * static_cast<unsigned>(which) + k);
    if (Rows == Side::query) {
      drawn |= shuffle_xor(drawn, 1);  // rows r and r + 8 of the same four keys
      for (int e = 0; e < 4; ++e)
        bits |= (drawn >> (e / 2 * 4 + along % 2 * 2 + e % 2) & 1U) << (4 * n + e);
    } else {
      drawn |= shuffle_xor(drawn, 4);  // four keys each of rows r and r + 8, queries c and c + 1
      drawn |= shuffle_xor(drawn, 8);
      for (int e = 0; e < 4; ++e) bits |= (drawn >> (4 * e + across % 4) & 1U) << (4 * n + e);
    }
  }
  return bits;
}

template <int N>
FOVEA_DEVICE void drop(float (&p)[N][4], std::uint32_t kept) {
#pragma unroll
  for (int n = 0; n < N; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e)
      if (!(kept >> (4 * n + e) & 1U)) p[n][e] = 0;
}

/// The largest of a lane's row and of `most`; four lanes share a row.
template <int N>
FOVEA_DEVICE float largest_of_row(const float (&s)[N][4], int half, float most) {
#pragma unroll
  for (int n = 0; n < N; ++n) most = larger(most, larger(s[n][2 * half], s[n][2 * half + 1]));
  most = larger(most, shuffle_xor(most, 1));
  return larger(most, shuffle_xor(most, 2));
}

/// What the backward pass must know of the queries of a tile, in shared memory.
struct Rest {
  float* lse;    // base 2; +inf hides
  float* delta;  // sum over channels of grad_out * out

  FOVEA_DEVICE Rest(unsigned char*& shared, int count)
      : lse(reinterpret_cast<float*>(shared)), delta(lse + count) {
    shared += 2 * sizeof(float) * static_cast<unsigned>(count);
  }
  FOVEA_DEVICE Rest(const Rest& all, int first) : lse(all.lse + first), delta(all.delta + first) {}

  FOVEA_DEVICE void write(const SdpaArgs& a, const Head& head, const float* all_delta, int first,
                          int count) const {
#pragma unroll 1
    for (int r = thread_index(); r < count; r += thread_count()) {
      const std::int64_t at = head.bh * a.Nq + first + r;
      const bool there = first + r < head.queries;
      lse[r] = there ? a.lse[at] * kLog2e : kInfinity;
      delta[r] = there && all_delta ? all_delta[at] : 0.0F;
    }
  }
};
FOVEA_BOTH constexpr int rest_bytes(int rows) { return rows * 2 * static_cast<int>(sizeof(float)); }

/// Scores to weights P. `rest` begins at the warp's first row or column, whichever are the queries.
template <Side Rows, int N>
FOVEA_DEVICE void weights_of(float (&s)[N][4], const float* lse) {
#pragma unroll
  for (int n = 0; n < N; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int query = Rows == Side::query ? lane() / 4 + e / 2 * 8 : Strip::column_of(n, e % 2);
      s[n][e] = exp2_fast(s[n][e] - lse[query]);
    }
}

/// dP before dropout to dS.
template <Side Rows, int N>
FOVEA_DEVICE void score_gradient(float (&dp)[N][4], const float (&p)[N][4], std::uint32_t kept,
                                 float keep_inv, const float* delta) {
#pragma unroll
  for (int n = 0; n < N; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int query = Rows == Side::query ? lane() / 4 + e / 2 * 8 : Strip::column_of(n, e % 2);
      const float through = kept >> (4 * n + e) & 1U ? dp[n][e] * keep_inv : 0.0F;
      dp[n][e] = p[n][e] * (through - delta[query]);
    }
}

}  // namespace fovea::cuda
