// Forward: a block owns rows of queries and walks over the keys with a running maximum and sum (online softmax). While it
// computes scores the values arrive, while it sums values the next keys.
#pragma once

#include "cuda/scores.cuh"

namespace fovea::cuda {

/// Columns of out are cut into blocks of 8 W; a tile has 8 N keys.
template <class M, int W, int N>
struct Forward {
  using T = typename M::Element;
  static constexpr int kColumns = 8 * W, kKeys = 8 * N;

  static FOVEA_BOTH int out_columns(const SdpaArgs& a) { return a.Dv < kColumns ? a.Dv : kColumns; }
  static FOVEA_BOTH int shared_bytes(const SdpaArgs& a, int rows) {
    return notes_bytes(rows) + 2 * notes_bytes(kKeys) + tile_bytes<M>(rows, a.Dk) +
           tile_bytes<M>(kKeys, a.Dk) + tile_bytes<M>(kKeys, out_columns(a)) +
           Addend::bytes(a, rows, kKeys);
  }
  static FOVEA_BOTH std::int64_t jobs(const SdpaArgs& a, int rows) {
    return std::int64_t{a.B} * a.H * pieces(a.Nq, rows) * pieces(a.Dv, kColumns);
  }

  static FOVEA_DEVICE void run(const SdpaArgs& a, unsigned char* shared) {
    const int rows = thread_count() / 2;  // 16 a warp
    const Notes query_notes(shared, rows);
    const NotesOfTwo key_notes(shared, kKeys);
    const Tile<T> q(shared, rows, a.Dk, M::kPad), k(shared, kKeys, a.Dk, M::kPad);
    const Tile<T> v_space(shared, kKeys, out_columns(a), M::kPad);
    const Addend addend(a, shared, rows, kKeys);
    const int tiles = pieces(a.Nq, rows), cuts = pieces(a.Dv, kColumns);
    for (std::int64_t job = block_index(); job < jobs(a, rows); job += block_count()) {
      const int column = static_cast<int>(job % cuts) * kColumns;
      const int first = static_cast<int>(job / cuts % tiles) * rows;
      const Head head(a, job / cuts / tiles);
      Tile<T> v = v_space;
      v.columns = smaller(kColumns, a.Dv - column);
      v.width = round_up(v.columns, 16);
      walk(a, head, column, {first, 0, query_notes, key_notes.of(0)}, key_notes, q, k, v, addend);
    }
  }

 private:
  static FOVEA_DEVICE void walk(const SdpaArgs& a, const Head& head, int column, Strip block,
                                const NotesOfTwo& key_notes, const Tile<T>& q, const Tile<T>& k,
                                const Tile<T>& v, const Addend& addend) {
    float o[W][4] = {}, top[2] = {-kInfinity, -kInfinity}, sum[2] = {};
    const int first = block.row;
    int end = first < head.queries ? head.keys : 0;
    if (a.causal) end = smaller(end, first + q.rows);
    if (end > 0) {
      // Of the last job only v may still be in use.
      block.rows.template write<Side::query>(a, head, first, q.rows);
      block.columns.template write<Side::key>(a, head, 0, kKeys);
      sync_block();
      q.load(a.q, head.base<const T>(a.q), block.rows.row);
      k.load(a.k, head.base<const T>(a.k), block.columns.row);
      copy_commit();
    }
    for (int step = 0; block.column < end; ++step) {
      const Notes next = key_notes.of(step + 1);
      const int after = block.column + kKeys;
      if (after < end) next.template write<Side::key>(a, head, after, kKeys);
      addend.template fill<Side::query>(a, head, block);
      copy_wait<0>();
      sync_block();  // k is there, and nobody reads the last v any more
      v.load(a.v, head.base<const T>(a.v) + column * a.v.s[3], block.columns.row);
      copy_commit();

      const Strip strip = block.of_warp();
      float s[N][4] = {};
      product<M>(s, q.data + 16 * warp() * q.pitch, k.data, k.pitch, k.width);
      finish_scores<Side::query>(a, strip, addend, s);
      softmax(s, o, top, sum);
      drop(s, kept<Side::query, N>(a, head, strip.row, strip.column));
      copy_wait<0>();
      sync_block();  // v is there, and nobody reads k any more
      if (after < end) {
        k.load(a.k, head.base<const T>(a.k), next.row);
        copy_commit();
      }
      weighted_sum<M>(o, s, v.data, v.pitch, v.width);
      block.column = after;
      block.columns = next;
    }
    finish(a, head, first, column, v.columns, o, top, sum);
  }

  /// Scores to weights relative to the running maximum; what was summed before is brought to the new one.
  static FOVEA_DEVICE void softmax(float (&s)[N][4], float (&o)[W][4], float (&top)[2],
                                   float (&sum)[2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float most = largest_of_row(s, half, top[half]);
      const float base = most == -kInfinity ? 0.0F : most;  // -inf - -inf would be NaN
      const float shrink = exp2_fast(top[half] - base);
      top[half] = most;
      sum[half] *= shrink;
#pragma unroll
      for (int w = 0; w < W; ++w) {
        o[w][2 * half] *= shrink;
        o[w][2 * half + 1] *= shrink;
      }
#pragma unroll
      for (int n = 0; n < N; ++n)
#pragma unroll
        for (int e = 2 * half; e < 2 * half + 2; ++e) {
          s[n][e] = exp2_fast(s[n][e] - base);
          sum[half] += s[n][e];
        }
    }
  }

  static FOVEA_DEVICE void finish(const SdpaArgs& a, const Head& head, int first, int column,
                                  int columns, const float (&o)[W][4], const float (&top)[2],
                                  float (&sum)[2]) {
    float factor[2];
    int row[2];
    const int warp_first = first + 16 * warp();
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      sum[half] += shuffle_xor(sum[half], 1);
      sum[half] += shuffle_xor(sum[half], 2);
      const bool nothing = sum[half] == 0;  // and not "no sum > 0": NaN shall stay NaN
      factor[half] = nothing ? 0.0F : a.keep_inv / sum[half];
      const int position = warp_first + lane() / 4 + 8 * half;
      if (column == 0 && lane() % 4 == 0 && position < a.Nq)
        a.lse[head.bh * a.Nq + position] =
            nothing ? kInfinity : kLn2 * (top[half] + log2_of(sum[half]));
    }
    rows_to_store(a, head, warp_first, a.Nq, row);
    store_rows(o, a.o, head.base<T>(a.o) + column * a.o.s[3], row, factor, columns);
  }
};

}  // namespace fovea::cuda
