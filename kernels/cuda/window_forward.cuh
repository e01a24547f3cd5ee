// Forward of a call that one tile holds: all keys of a row are there at once, so that its softmax takes one pass.
#pragma once

#include "cuda/window.cuh"

namespace fovea::cuda {

/// Up to 8 W columns of q, k and v.
template <class M, int W>
struct WindowForward {
  using T = typename M::Element;
  using Tiles = WindowTiles<M, W>;
  static constexpr int kStages = 2, N = kWindowTiles;
  static constexpr int kSums = WindowNotes::kBytes,
                       kTiles = kSums + kPositions / 16 * kPositions * int{sizeof(float)},
                       kAtOnce = kStages * 3 * Tiles::kBytes;
  static constexpr int kSharedBytes =
      kTiles + (kAtOnce < WindowAddend::kBytes ? WindowAddend::kBytes : kAtOnce);

  static FOVEA_DEVICE void run(const SdpaArgs& a, unsigned char* shared) {
    const Axes inside = axes_of(a.windows.window, thread_index() % kPositions);
    for (std::int64_t job = block_index(); job < WindowWalk::jobs(a); job += block_count())
      walk(a, {a, job}, inside, shared);
  }

 private:
  static FOVEA_DEVICE void walk(const SdpaArgs& a, WindowWalk at, const Axes& inside,
                                unsigned char* shared) {
    if (!at.there()) return;
    auto* const sums = reinterpret_cast<float*>(shared + kSums);
    const Tiles tiles{shared + kTiles};
    float add[N][4];
    sync_block();  // nobody works at the last job any more
    WindowNotes(shared, 0).write(a, at, inside);
    {
      // In the place of the tiles: it moves to registers before they come.
      const WindowAddend addend{reinterpret_cast<float*>(shared + kTiles)};
      addend.fill(a, at.head(a), inside);
      sync_block();
      addend.read(add);
      sync_block();
    }
    load(a, at, WindowNotes(shared, 0), tiles, 0);
    for (int step = 0; at.there(); ++step) {
      const Head head = at.head(a);
      at.next(a);
      const WindowNotes next(shared, step + 1);
      if (at.there()) next.write(a, at, inside);
      copy_wait<0>();
      sync_block();  // and nobody computes the last batch any more
      if (at.there()) load(a, at, next, tiles, (step + 1) % kStages);
      const WindowNotes notes(shared, step);
      if (16 * warp() < a.Nq) compute(a, head, notes, tiles, step % kStages, add, sums);
      if (a.col_sum) {
        sync_block();
        write_sums(a, head, sums);
      }
    }
  }

  static FOVEA_DEVICE void load(const SdpaArgs& a, const WindowWalk& at, const WindowNotes& notes,
                                const Tiles& tiles, int stage) {
    const Head head = at.head(a);
    tiles.load(3 * stage, head, a.q, a.Dk, notes.row);
    tiles.load(3 * stage + 1, head, a.k, a.Dk, notes.row + kPositions);
    tiles.load(3 * stage + 2, head, a.v, a.Dv, notes.row + kPositions);
    copy_commit();
  }

  static FOVEA_DEVICE void compute(const SdpaArgs& a, const Head& head, const WindowNotes& notes,
                                   const Tiles& tiles, int stage, const float (&add)[N][4],
                                   float* sums) {
    const Tile<T> q = tiles.tile(3 * stage, a.Dk), k = tiles.tile(3 * stage + 1, a.Dk),
                  v = tiles.tile(3 * stage + 2, a.Dv);
    float p[N][4] = {}, sum[2], factor[2];
    product<M>(p, q.data + 16 * warp() * q.pitch, k.data, q.pitch, q.width);
    finish_window_scores(a, notes, add, p);
    softmax(a, head, p, sum);
#pragma unroll
    for (int half = 0; half < 2; ++half) factor[half] = sum[half] == 0 ? 0.0F : 1 / sum[half];
    if (a.col_sum) add_rows(p, factor, sums);
    drop(p, kept<Side::query, N>(a, head, 16 * warp(), 0));
    float o[W][4] = {};
    // Wide floats: a width that is known would have the compiler load all of v at once, more than there are registers.
    weighted_sum<M>(o, p, v.data, v.pitch, sizeof(T) == 2 ? v.width : v.columns);
    int row[2];
    notes.rows_to_store(a, Side::query, row);
#pragma unroll
    for (int half = 0; half < 2; ++half) factor[half] *= a.keep_inv;
    store_rows(o, a.o, head.base<T>(a.o), row, factor, a.Dv);
  }

  /// Scores to weights relative to the largest of their row, the sums of the rows, and their lse to memory.
  static FOVEA_DEVICE void softmax(const SdpaArgs& a, const Head& head, float (&s)[N][4],
                                   float (&sum)[2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = largest_of_row(s, half, -kInfinity);
      if (top == -kInfinity) top = 0;  // -inf - -inf would be NaN
      sum[half] = 0;
#pragma unroll
      for (int n = 0; n < N; ++n)
#pragma unroll
        for (int e = 2 * half; e < 2 * half + 2; ++e) {
          s[n][e] = exp2_fast(s[n][e] - top);
          sum[half] += s[n][e];
        }
      sum[half] += shuffle_xor(sum[half], 1);
      sum[half] += shuffle_xor(sum[half], 2);
      const int position = 16 * warp() + lane() / 4 + 8 * half;
      if (lane() % 4 == 0 && position < a.Nq)  // "no sum > 0" would hide a NaN
        a.lse[head.bh * a.Nq + position] =
            sum[half] == 0 ? kInfinity : kLn2 * (top + log2_of(sum[half]));
    }
  }

  /// The sums of the warp's columns.
  static FOVEA_DEVICE void add_rows(const float (&p)[N][4], const float (&factor)[2], float* sums) {
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        float x = p[n][e] * factor[0] + p[n][2 + e] * factor[1];
        for (int mask = 4; mask < kWarp; mask *= 2) x += shuffle_xor(x, mask);
        if (lane() < 4) sums[warp() * kPositions + Strip::column_of(n, e)] = x;
      }
  }
  static FOVEA_DEVICE void write_sums(const SdpaArgs& a, const Head& head, const float* sums) {
    if (thread_index() >= a.Nk) return;
    float x = 0;
    for (int w = 0; w < pieces(a.Nq, 16); ++w) x += sums[w * kPositions + thread_index()];
    a.col_sum[head.bh * a.Nk + thread_index()] = x;
  }
};

}  // namespace fovea::cuda
