// Backward of a call that one tile holds: all gradients of a batch in one block, each written once. A warp owns queries for
// the scores and dQ, keys for dK and dV; in between, the weights and their gradients go through shared memory.
#pragma once

#include "cuda/window.cuh"

namespace fovea::cuda {

/// Up to 8 W columns of q, k, v and grad_out. The gradients of what was added to the scores go to the workspace
/// [parts, H, Nq, Nk], one part a block.
template <class M, int W>
struct WindowBackward {
  using T = typename M::Element;
  using Tiles = WindowTiles<M, W>;
  static constexpr int N = kWindowTiles;
  // Wide rows fill the shared memory as they are.
  static constexpr int kStages = 8 * W * int{sizeof(T)} <= 64 ? 2 : 1;
  static constexpr int kPitch = kPositions + M::kPad;  // of the weights and their gradients
  static constexpr int kWeights = WindowNotes::kBytes,
                       kGradients = kWeights + kPositions * kPitch * int{sizeof(T)},
                       kTiles = kGradients + kPositions * kPitch * int{sizeof(T)},
                       kSharedBytes = kTiles + kStages * 4 * Tiles::kBytes;

  static FOVEA_DEVICE void run(const SdpaArgs& a, unsigned char* shared) {
    const Axes inside = axes_of(a.windows.window, thread_index() % kPositions);
    for (std::int64_t job = block_index(); job < WindowWalk::jobs(a); job += block_count())
      walk(a, {a, job}, inside, shared);
  }

 private:
  static FOVEA_DEVICE void walk(const SdpaArgs& a, WindowWalk at, const Axes& inside,
                                unsigned char* shared) {
    const Tiles tiles{shared + kTiles};
    float add[N][4], all[N][4] = {}, lse[2] = {};
    const int h = at.h, part = at.part;
    sync_block();  // nobody works at the last job any more
    if (at.there()) {
      WindowNotes(shared, 0).write(a, at, inside);
      // In the place of the weights and their gradients: it moves to registers before they come.
      static_assert(kTiles - kWeights >= WindowAddend::kValueBytes);
      const WindowAddend addend{reinterpret_cast<float*>(shared + kWeights)};
      addend.fill(a, at.head(a), inside);
      sync_block();
      addend.read(add);
      load(a, at, WindowNotes(shared, 0), tiles, 0, lse);
    }
    for (int step = 0; at.there(); ++step) {
      const Head head = at.head(a);
      const float own_lse[2] = {lse[0], lse[1]};
      at.next(a);
      const WindowNotes next(shared, step + 1), notes(shared, step);
      if (at.there()) next.write(a, at, inside);
      copy_wait<0>();
      sync_block();  // and nobody computes the last batch any more
      if (kStages == 2 && at.there()) load(a, at, next, tiles, (step + 1) % 2, lse);
      const int stage = step % kStages;
      if (16 * warp() < a.Nq) of_queries(a, head, notes, tiles, stage, own_lse, add, shared, all);
      sync_block();
      if (16 * warp() < a.Nk) of_keys(a, head, notes, tiles, stage, shared);
      if (kStages == 1) {
        sync_block();
        if (at.there()) load(a, at, next, tiles, 0, lse);
      }
    }
    if (a.dbias.p || a.dtable.p) write_part(a, h, part, all);
  }

  /// The lse in base 2 of this lane's rows; they arrive in the meantime too.
  static FOVEA_DEVICE void load(const SdpaArgs& a, const WindowWalk& at, const WindowNotes& notes,
                                const Tiles& tiles, int stage, float (&lse)[2]) {
    const Head head = at.head(a);
    const int *queries = notes.row, *keys = notes.row + kPositions;
    tiles.load(4 * stage, head, a.q, a.Dk, queries);
    tiles.load(4 * stage + 1, head, a.k, a.Dk, keys);
    tiles.load(4 * stage + 2, head, a.v, a.Dv, keys);
    tiles.load(4 * stage + 3, head, a.grad_out, a.Dv, queries);
    copy_commit();
    for (int half = 0; half < 2; ++half) {
      const int position = 16 * warp() + lane() / 4 + 8 * half;
      lse[half] = position < a.Nq ? a.lse[head.bh * a.Nq + position] : kInfinity;
    }
  }

  static FOVEA_DEVICE void of_queries(const SdpaArgs& a, const Head& head, const WindowNotes& notes,
                                      const Tiles& tiles, int stage, const float (&lse)[2],
                                      const float (&add)[N][4], unsigned char* shared,
                                      float (&all)[N][4]) {
    const Tile<T> q = tiles.tile(4 * stage, a.Dk), k = tiles.tile(4 * stage + 1, a.Dk),
                  v = tiles.tile(4 * stage + 2, a.Dv), grad_out = tiles.tile(4 * stage + 3, a.Dv);
    const int first = 16 * warp() * q.pitch;
    float p[N][4] = {}, ds[N][4] = {};
    product<M>(p, q.data + first, k.data, q.pitch, q.width);
    finish_window_scores(a, notes, add, p);
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) p[n][e] = exp2_fast(p[n][e] - lse[e / 2] * kLog2e);
    product<M>(ds, grad_out.data + first, v.data, v.pitch, v.width);
    const std::uint32_t keeps = kept<Side::query, N>(a, head, 16 * warp(), 0);
    score_gradients(p, ds, keeps, a.keep_inv, all);
    drop(p, keeps);
    put(p, shared + kWeights);
    put(ds, shared + kGradients);
    if (!a.dq.p) return;
    float dq[W][4] = {};
    weighted_sum<M>(dq, ds, k.data, k.pitch, k.width);
    store(a, head, notes, Side::query, a.dq, a.scale, a.Dk, dq);
  }

  /// dP before dropout to dS, and its sum over the batches. The row sums are those of the weights as they are, not of an
  /// output that was rounded: the gradient of a bias is exact then.
  static FOVEA_DEVICE void score_gradients(const float (&p)[N][4], float (&dp)[N][4],
                                           std::uint32_t keeps, float keep_inv,
                                           float (&all)[N][4]) {
    float delta[2] = {};
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        dp[n][e] = keeps >> (4 * n + e) & 1U ? dp[n][e] * keep_inv : 0.0F;
        delta[e / 2] += p[n][e] * dp[n][e];
      }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      delta[half] += shuffle_xor(delta[half], 1);
      delta[half] += shuffle_xor(delta[half], 2);
    }
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        dp[n][e] = p[n][e] * (dp[n][e] - delta[e / 2]);
        all[n][e] += dp[n][e];
      }
  }

  static FOVEA_DEVICE void put(const float (&x)[N][4], unsigned char* tile) {
    T* to = reinterpret_cast<T*>(tile) + (16 * warp() + lane() / 4) * kPitch + lane() % 4 * 2;
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int half = 0; half < 2; ++half)
        store_pair(to + 8 * half * kPitch + 8 * n, Float<T>::store(x[n][2 * half]),
                   Float<T>::store(x[n][2 * half + 1]));
  }

  static FOVEA_DEVICE void of_keys(const SdpaArgs& a, const Head& head, const WindowNotes& notes,
                                   const Tiles& tiles, int stage, unsigned char* shared) {
    const int queries = round_up(a.Nq, 16);
    const auto sum = [&](int weights, int tile, const View4& to, float factor, int columns) {
      if (!to.p) return;
      float x[W][4] = {};
      transposed_sum<M>(x, reinterpret_cast<const T*>(shared + weights) + 16 * warp(), kPitch,
                        tiles.tile(4 * stage + tile, columns).data, Tiles::kPitch, queries);
      store(a, head, notes, Side::key, to, factor, columns, x);
    };
    sum(kWeights, 3, a.dv, a.keep_inv, a.Dv);
    sum(kGradients, 0, a.dk, a.scale, a.Dk);
  }

  static FOVEA_DEVICE void store(const SdpaArgs& a, const Head& head, const WindowNotes& notes,
                                 Side side, const View4& to, float factor, int columns,
                                 const float (&x)[W][4]) {
    int row[2];
    notes.rows_to_store(a, side, row);
    store_rows(x, to, head.base<T>(to), row, {factor, factor}, columns);
  }

  static FOVEA_DEVICE void write_part(const SdpaArgs& a, int h, int part,
                                      const float (&all)[N][4]) {
    float* to = static_cast<float*>(a.workspace) + (std::int64_t{part} * a.H + h) * a.Nq * a.Nk;
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int i = 16 * warp() + lane() / 4 + e / 2 * 8, j = Strip::column_of(n, e % 2);
        if (i < a.Nq && j < a.Nk) to[i * a.Nk + j] = all[n][e];
      }
  }
};

}  // namespace fovea::cuda
