// Forward for long sequences on Hopper: a block owns 128 queries, 64 a warpgroup, and a third warpgroup loads keys and values
// ahead of them. The products of a tile of keys run while the softmax of the tile before is computed.
#pragma once

#include "cuda/hopper_tiles.cuh"

namespace fovea::cuda {

/// Heads of at most 64 P channels.
template <class Element, int P>
struct HopperForward {
  using T = Element;
  static constexpr int kGroups = 2, kRows = 64 * kGroups, kKeys = 128, kSlots = 2;
  static constexpr int N = kKeys / 8, W = 8 * P;
  using Queries = Plate<kRows, P>;
  using Keys = Plate<kKeys, P>;
  static constexpr int kBarriers = 2 + 2 * 2 * kSlots + 1;
  static constexpr int kSharedBytes =
      kAlignBytes + Queries::kBytes + 2 * kSlots * Keys::kBytes + kBarriers * 8;

  static FOVEA_BOTH int tiles(const SdpaArgs& a) { return pieces(a.Nq, kRows); }
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
    Queries q;
    Keys k, v;  // the first of kSlots
    Barrier* barriers;
    Ring<1> query_ring;
    Ring<kSlots> key_ring, value_ring;
    Filler filler;

    FOVEA_DEVICE explicit Space(unsigned char* shared)
        : q{shared},
          k{q.data + Queries::kBytes},
          v{k.data + kSlots * Keys::kBytes},
          barriers(reinterpret_cast<Barrier*>(v.data + kSlots * Keys::kBytes)),
          query_ring(barriers),
          key_ring(barriers),
          value_ring(barriers),
          filler(barriers) {}
    FOVEA_DEVICE void init() const {
      query_ring.init(4 * kGroups);
      key_ring.init(4 * kGroups);
      value_ring.init(4 * kGroups);
      filler.init();
    }
  };

  struct Job {
    Head head;
    int first, steps;

    FOVEA_DEVICE Job(const SdpaArgs& a, std::int64_t job) : head(a, job / tiles(a)) {
      const int tile = static_cast<int>(job % tiles(a));
      // In causal order the last queries see most: they begin first.
      first = (a.causal ? tiles(a) - 1 - tile : tile) * kRows;
      int end = first < head.queries ? head.keys : 0;
      if (a.causal) end = smaller(end, first + kRows);
      steps = pieces(end, kKeys);
    }
  };

  static FOVEA_DEVICE void produce(const SdpaArgs& a, const Maps& maps, Space& space) {
    Cursor<1> q_at;
    Cursor<kSlots> at;
    for (std::int64_t job = block_index(); job < jobs(a); job += block_count()) {
      const Job it(a, job);
      if (it.steps == 0) continue;
      const Source k(maps.k, a.k, it.head), v(maps.v, a.v, it.head);
      space.filler.fill(space.query_ring.wait_free(q_at), it.first, kRows,
                        Load<Queries>{space.q, Source(maps.q, a.q, it.head)});
      q_at.next();
      for (int step = 0; step < it.steps; ++step, at.next()) {
        const int first = step * kKeys, count = it.head.keys < a.Nk ? it.head.keys - first : kKeys;
        space.filler.fill(space.key_ring.wait_free(at), first, kKeys,
                          Load<Keys>{space.k.at(at.slot), k});
        space.filler.fill(space.value_ring.wait_free(at), first, count,
                          Load<Keys>{space.v.at(at.slot), v});
      }
    }
  }

  static FOVEA_DEVICE void consume(const SdpaArgs& a, const Space& space) {
    Cursor<1> q_at;
    Cursor<kSlots> k_at, v_at;
    for (std::int64_t job = block_index(); job < jobs(a); job += block_count()) {
      const Job it(a, job);
      float o[W][4] = {}, top[2] = {-kInfinity, -kInfinity}, sum[2] = {};
      if (it.steps > 0) walk(a, it, space, q_at, k_at, v_at, o, top, sum);
      finish(a, it, o, top, sum);
    }
  }

  static FOVEA_DEVICE void walk(const SdpaArgs& a, const Job& it, const Space& space,
                                Cursor<1>& q_at, Cursor<kSlots>& k_at, Cursor<kSlots>& v_at,
                                float (&o)[W][4], float (&top)[2], float (&sum)[2]) {
    const int row = warp() / 4 * 64;
    float s[N][4] = {}, shrink[2];
    std::uint32_t p[N / 2][4];
    space.query_ring.wait_full(q_at);
    space.key_ring.wait_full(k_at);
    settle(s);
    wgmma_fence();
    start_product<T>(s, space.q, row, space.k.at(k_at.slot));
    wgmma_commit();
    wgmma_wait<0>();
    settle(s);
    space.key_ring.release(k_at);
    softmax(a, it, 0, s, top, sum, shrink);
    pack<T>(s, p);
#pragma unroll 1
    for (int step = 1; step < it.steps; ++step) {
      space.key_ring.wait_full(k_at);
      settle(s);
      settle(o);
      settle(p);
      wgmma_fence();
      start_product<T>(s, space.q, row, space.k.at(k_at.slot));
      wgmma_commit();
      space.value_ring.wait_full(v_at);
      wgmma_fence();
      start_sum<T>(o, p, space.v.at(v_at.slot));
      wgmma_commit();
      wgmma_wait<1>();
      settle(s);
      space.key_ring.release(k_at);
      softmax(a, it, step * kKeys, s, top, sum, shrink);
      wgmma_wait<0>();
      settle(o);
      settle(p);
      space.value_ring.release(v_at);
#pragma unroll
      for (int w = 0; w < W; ++w)
#pragma unroll
        for (int e = 0; e < 4; ++e) o[w][e] *= shrink[e / 2];
      pack<T>(s, p);
    }
    space.query_ring.release(q_at);
    space.value_ring.wait_full(v_at);
    settle(o);
    settle(p);
    wgmma_fence();
    start_sum<T>(o, p, space.v.at(v_at.slot));
    wgmma_commit();
    wgmma_wait<0>();
    settle(o);
    settle(p);
    space.value_ring.release(v_at);
  }

  /// Products to weights relative to the running maximum, dropped weights to zero. What was summed before shrinks.
  static FOVEA_DEVICE void softmax(const SdpaArgs& a, const Job& it, int column, float (&s)[N][4],
                                   float (&top)[2], float (&sum)[2], float (&shrink)[2]) {
    hide_columns<Side::query>(a, it.head, it.first, column, s);
    const float scale = a.scale * kLog2e;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float most = largest_of_row(s, half, top[half]);
      const float base = most == -kInfinity ? 0.0F : most * scale;  // -inf - -inf would be NaN
      shrink[half] = exp2_fast(top[half] * scale - base);
      top[half] = most;
      sum[half] *= shrink[half];
#pragma unroll
      for (int n = 0; n < N; ++n)
#pragma unroll
        for (int e = 2 * half; e < 2 * half + 2; ++e) {
          s[n][e] = exp2_fast(s[n][e] * scale - base);
          sum[half] += s[n][e];
        }
    }
    if (a.drop_threshold == 0) return;
    const Keeps<Side::query, N> keeps(a, it.head, it.first, column);
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        if (!keeps.at(n, e)) s[n][e] = 0;
  }

  static FOVEA_DEVICE void finish(const SdpaArgs& a, const Job& it, float (&o)[W][4],
                                  const float (&top)[2], float (&sum)[2]) {
    const int first = it.first + 16 * warp();
    float factor[2];
    int row[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      sum[half] += shuffle_xor(sum[half], 1);
      sum[half] += shuffle_xor(sum[half], 2);
      const int position = first + lane() / 4 + 8 * half;
      // "sum == 0" and not "no sum > 0": NaN shall stay NaN, but for queries that do not count.
      const bool nothing = sum[half] == 0 || position >= it.head.queries;
      factor[half] = nothing ? 0.0F : a.keep_inv / sum[half];
      if (lane() % 4 == 0 && position < a.Nq)
        a.lse[it.head.bh * a.Nq + position] =
            nothing ? kInfinity : kLn2 * (top[half] * a.scale * kLog2e + log2_of(sum[half]));
      if (nothing) clear_half(o, half);
    }
    rows_to_store(a, it.head, first, a.Nq, row);
    store_rows(o, a.o, it.head.template base<T>(a.o), row, factor, a.Dv);
  }
};

}  // namespace fovea::cuda
