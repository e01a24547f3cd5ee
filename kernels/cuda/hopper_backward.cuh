// Backward for long sequences on Hopper, in two kernels as in backward.cuh: a block owns 128 rows of queries (dQ) or of keys
// (dK, dV), 64 a warpgroup, and walks over tiles of the other side that a third warpgroup loads.
#pragma once

#include "cuda/hopper_tiles.cuh"

namespace fovea::cuda {

/// x are q or k, y grad_out or v. Heads of at most 64 P channels.
template <class Element, Side Rows, int P>
struct HopperBackward {
  using T = Element;
  static constexpr bool kKeys = Rows == Side::key;
  static constexpr int kGroups = 2, kRows = 64 * kGroups, kWalk = 64, kSlots = 3;
  static constexpr int N = kWalk / 8, W = 8 * P;
  using Own = Plate<kRows, P>;
  using Walked = Plate<kWalk, P>;
  static constexpr int kBarriers = 2 + 2 * kSlots + 1;
  static constexpr int kRest = kKeys ? kSlots * rest_bytes(kWalk) : 0;
  static constexpr int kSharedBytes =
      kAlignBytes + 2 * Own::kBytes + 2 * kSlots * Walked::kBytes + kRest + kBarriers * 8;

  static FOVEA_BOTH int count(const SdpaArgs& a) { return kKeys ? a.Nk : a.Nq; }
  static FOVEA_BOTH int tiles(const SdpaArgs& a) { return pieces(count(a), kRows); }
  static FOVEA_BOTH std::int64_t jobs(const SdpaArgs& a) {
    return std::int64_t{a.B} * a.H * tiles(a);
  }

  static FOVEA_DEVICE void run(const SdpaArgs& a, const Maps& maps, unsigned char* shared) {
    Space space(aligned_shared(shared));
    in_roles<kGroups>(
        space, [&] { produce(a, maps, space); }, [&] { consume(a, space); });
  }

 private:
  struct Space {
    Own own_x, own_y;
    Walked x, y;  // the first of kSlots
    unsigned char* rest;
    Barrier* barriers;
    Ring<1> own_ring;
    Ring<kSlots> ring;
    Filler filler;

    FOVEA_DEVICE explicit Space(unsigned char* shared)
        : own_x{shared},
          own_y{own_x.data + Own::kBytes},
          x{own_y.data + Own::kBytes},
          y{x.data + kSlots * Walked::kBytes},
          rest(y.data + kSlots * Walked::kBytes),
          barriers(reinterpret_cast<Barrier*>(rest + kRest)),
          own_ring(barriers),
          ring(barriers),
          filler(barriers) {}
    FOVEA_DEVICE void init() const {
      own_ring.init(4 * kGroups);
      ring.init(4 * kGroups);
      filler.init();
    }
    /// Of a slot.
    FOVEA_DEVICE Rest rest_at(int slot) const {
      unsigned char* at = rest + slot * rest_bytes(kWalk);
      return {at, kWalk};
    }
  };

  struct Job {
    Head head;
    int first, begin, steps;

    FOVEA_DEVICE Job(const SdpaArgs& a, std::int64_t job) : head(a, job / tiles(a)) {
      const int tile = static_cast<int>(job % tiles(a));
      // In causal order the last queries and the first keys have most to do: they begin first.
      first = (a.causal && !kKeys ? tiles(a) - 1 - tile : tile) * kRows;
      begin = a.causal && kKeys ? first : 0;
      int end = kKeys ? head.queries : head.keys;
      if (first >= own_count()) end = 0;
      if (a.causal && !kKeys) end = smaller(end, first + kRows);
      steps = pieces(larger(end - begin, 0), kWalk);
    }
    FOVEA_DEVICE int own_count() const { return kKeys ? head.keys : head.queries; }
  };

  static FOVEA_DEVICE void produce(const SdpaArgs& a, const Maps& maps, Space& space) {
    Cursor<1> own_at;
    Cursor<kSlots> at;
    for (std::int64_t job = block_index(); job < jobs(a); job += block_count()) {
      const Job it(a, job);
      if (it.steps == 0) continue;
      const Source q(maps.q, a.q, it.head), g(maps.grad_out, a.grad_out, it.head);
      const Source k(maps.k, a.k, it.head), v(maps.v, a.v, it.head);
      space.filler.fill(space.own_ring.wait_free(own_at), it.first, kRows,
                        Load<Own>{space.own_x, kKeys ? k : q},
                        Load<Own>{space.own_y, kKeys ? v : g});
      own_at.next();
      const int all = kKeys ? a.Nq : a.Nk, seen = kKeys ? it.head.queries : it.head.keys;
      for (int step = 0; step < it.steps; ++step, at.next()) {
        const int first = it.begin + step * kWalk;
        Barrier* const full = space.ring.wait_free(at);
        if (kKeys) {
          write_rest(a, it, space.rest_at(at.slot), first);
          sync_warp();
        }
        space.filler.fill(full, first, seen < all ? seen - first : kWalk,
                          Load<Walked>{space.x.at(at.slot), kKeys ? q : k},
                          Load<Walked>{space.y.at(at.slot), kKeys ? g : v});
      }
    }
  }

  /// As Rest::write, by a warp; through that, this kernel would spill.
  static FOVEA_DEVICE void write_rest(const SdpaArgs& a, const Job& it, const Rest& rest,
                                      int first) {
    const auto* delta = static_cast<const float*>(a.workspace);
    for (int r = lane(); r < kWalk; r += kWarp) {
      const bool there = first + r < it.head.queries;
      const std::int64_t at = it.head.bh * a.Nq + first + r;
      rest.lse[r] = there ? a.lse[at] * kLog2e : kInfinity;
      rest.delta[r] = there ? delta[at] : 0.0F;
    }
  }

  static FOVEA_DEVICE void consume(const SdpaArgs& a, const Space& space) {
    Cursor<1> own_at;
    Cursor<kSlots> at;
    for (std::int64_t job = block_index(); job < jobs(a); job += block_count()) {
      const Job it(a, job);
      float dx[W][4] = {}, dy[kKeys ? W : 1][4] = {};
      if (it.steps > 0) walk(a, it, space, own_at, at, dx, dy);
      const Job again(a, job);  // the walk has no registers to keep it in
      store(a, again, kKeys ? a.dk : a.dq, a.Dk, a.scale, dx);
      if constexpr (kKeys) store(a, again, a.dv, a.Dv, a.keep_inv, dy);
    }
  }

  /// lse and delta of the queries of this lane: of its two rows, or of its columns, in shared memory.
  struct Known {
    float lse[2], delta[2];
    Rest rest;

    FOVEA_DEVICE Known(const SdpaArgs& a, const Job& it, const Rest& rest) : rest(rest) {
      if (kKeys) return;
      const auto* all = static_cast<const float*>(a.workspace);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int position = it.first + 16 * warp() + lane() / 4 + 8 * half;
        const bool there = position < it.head.queries;
        const std::int64_t at = it.head.bh * a.Nq + position;
        lse[half] = there ? a.lse[at] * kLog2e : kInfinity;
        delta[half] = there ? all[at] : 0.0F;
      }
    }
    FOVEA_DEVICE float lse_of(int n, int e) const {
      return kKeys ? rest.lse[Strip::column_of(n, e % 2)] : lse[e / 2];
    }
    FOVEA_DEVICE float delta_of(int n, int e) const {
      return kKeys ? rest.delta[Strip::column_of(n, e % 2)] : delta[e / 2];
    }
  };

  static FOVEA_DEVICE void walk(const SdpaArgs& a, const Job& it, const Space& space,
                                Cursor<1>& own_at, Cursor<kSlots>& at, float (&dx)[W][4],
                                float (&dy)[kKeys ? W : 1][4]) {
    const int row = warp() / 4 * 64;
    Known known(a, it, space.rest_at(0));
    space.own_ring.wait_full(own_at);
#pragma unroll 1
    for (int step = 0; step < it.steps; ++step) {
      const int column = it.begin + step * kWalk;
      const Walked x = space.x.at(at.slot), y = space.y.at(at.slot);
      known.rest = space.rest_at(at.slot);
      float p[N][4] = {}, dp[N][4] = {};
      std::uint32_t weights[N / 2][4], ds[N / 2][4];
      space.ring.wait_full(at);
      settle(p);
      settle(dp);
      wgmma_fence();
      start_product<T>(p, space.own_x, row, x);
      wgmma_commit();
      start_product<T>(dp, space.own_y, row, y);
      wgmma_commit();
      const Keeps<Rows, N> keeps(a, it.head, it.first, column);
      wgmma_wait<1>();
      settle(p);
      weigh(a, it, column, known, p);
      if constexpr (kKeys) {
        pack_kept(p, keeps, weights);
        settle(weights);
        settle(dy);
        wgmma_fence();
        start_sum<T>(dy, weights, y);
        wgmma_commit();
        wgmma_wait<1>();
      } else {
        wgmma_wait<0>();
      }
      settle(dp);
#pragma unroll
      for (int n = 0; n < N; ++n)
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const float through = keeps.at(n, e) ? dp[n][e] * a.keep_inv : 0.0F;
          dp[n][e] = p[n][e] * (through - known.delta_of(n, e));
        }
      pack<T>(dp, ds);
      settle(ds);
      settle(dx);
      wgmma_fence();
      start_sum<T>(dx, ds, x);
      wgmma_commit();
      wgmma_wait<0>();
      settle(dx);
      settle(ds);
      if constexpr (kKeys) {
        settle(dy);
        settle(weights);
      }
      space.ring.release(at);
    }
    space.own_ring.release(own_at);
  }

  /// Products to weights.
  static FOVEA_DEVICE void weigh(const SdpaArgs& a, const Job& it, int column, const Known& known,
                                 float (&p)[N][4]) {
    hide_columns<Rows>(a, it.head, it.first, column, p);
    const float scale = a.scale * kLog2e;
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) p[n][e] = exp2_fast(p[n][e] * scale - known.lse_of(n, e));
  }

  static FOVEA_DEVICE void pack_kept(const float (&p)[N][4], const Keeps<Rows, N>& keeps,
                                     std::uint32_t (&weights)[N / 2][4]) {
    float dropped[N][4];
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) dropped[n][e] = keeps.at(n, e) ? p[n][e] : 0.0F;
    pack<T>(dropped, weights);
  }

  static FOVEA_DEVICE void store(const SdpaArgs& a, const Job& it, const View4& to, int columns,
                                 float factor, float (&sum)[W][4]) {
    if (!to.p) return;
    const int first = it.first + 16 * warp();
    int row[2];
#pragma unroll
    for (int half = 0; half < 2; ++half)
      if (first + lane() / 4 + 8 * half >= it.own_count()) clear_half(sum, half);
    rows_to_store(a, it.head, first, count(a), row);
    const float factors[2] = {factor, factor};
    store_rows(sum, to, it.head.template base<T>(to), row, factors, columns);
  }
};

}  // namespace fovea::cuda
