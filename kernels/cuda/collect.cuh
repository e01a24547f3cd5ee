// Sums of the weights P or of their gradient dS over any of batch, head, query and key, each element in a fixed order: a
// block owns a tile of the result and walks over what repeats. It gives the column sums and the averaged map (P), and the
// gradient of a bias that was broadcast (dS), as partial sums that a second kernel adds.
#pragma once

#include "cuda/backward.cuh"

namespace fovea::cuda {

struct Sum {
  float* to;         ///< [parts, the dimensions kept], contiguous
  bool repeated[4];  ///< summed over: b, h, i, j
  int parts;         ///< the steps of a tile are split among so many blocks
  float factor;

  /// Elements of the result along dimension d.
  FOVEA_BOTH std::int64_t size(const SdpaArgs& a, int d) const {
    return repeated[d] ? 1 : d == 0 ? a.B : d == 1 ? a.H : d == 2 ? a.Nq : a.Nk;
  }
  FOVEA_BOTH std::int64_t elements(const SdpaArgs& a) const {
    return size(a, 0) * size(a, 1) * size(a, 2) * size(a, 3);
  }
  /// Tiles of the result (Kept), or steps of each.
  template <bool Kept>
  FOVEA_BOTH std::int64_t tiles(const SdpaArgs& a, int rows, int keys) const {
    return std::int64_t{repeated[0] == Kept ? 1 : a.B} * (repeated[1] == Kept ? 1 : a.H) *
           (repeated[2] == Kept ? 1 : pieces(a.Nq, rows)) *
           (repeated[3] == Kept ? 1 : pieces(a.Nk, keys));
  }
};

template <class M, bool Gradient>
struct Collect {
  using T = typename M::Element;
  static constexpr int N = sizeof(T) == 2 ? 4 : 2, kWalk = 8 * N, kPitch = kWalk + 1;

  static FOVEA_BOTH int shared_bytes(const SdpaArgs& a, int rows) {
    const int tiles = Gradient ? SideTiles<M>::bytes(a, rows) + SideTiles<M>::bytes(a, kWalk)
                               : tile_bytes<M>(rows, a.Dk) + tile_bytes<M>(kWalk, a.Dk);
    const int sums = rows * kPitch * static_cast<int>(sizeof(float));  // in the place of the tiles
    return notes_bytes(rows + kWalk) + rest_bytes(rows) + Addend::bytes(a, rows, kWalk) +
           (tiles < sums ? sums : tiles);
  }
  static FOVEA_BOTH std::int64_t jobs(const SdpaArgs& a, const Sum& sum, int rows) {
    return sum.tiles<true>(a, rows, kWalk) * sum.parts;
  }

  static FOVEA_DEVICE void run(const SdpaArgs& a, const Sum& sum, unsigned char* shared) {
    const int rows = thread_count() / 2;
    const std::int64_t tiles = sum.tiles<true>(a, rows, kWalk),
                       steps = sum.tiles<false>(a, rows, kWalk);
    for (std::int64_t job = block_index(); job < tiles * sum.parts; job += block_count()) {
      const std::int64_t tile = job % tiles, part = job / tiles;
      float c[N][4] = {};
      for (std::int64_t step = part * steps / sum.parts; step < (part + 1) * steps / sum.parts;
           ++step)
        add(a, Where(a, sum, rows, tile, step), rows, shared, c);
      write(a, sum, Where(a, sum, rows, tile, 0), rows, part, shared, c);
    }
  }

 private:
  struct Where {
    int b, h, i, j;  // i, j: the first positions
    FOVEA_DEVICE Where(const SdpaArgs& a, const Sum& sum, int rows, std::int64_t tile,
                       std::int64_t step) {
      j = next(sum.repeated[3], pieces(a.Nk, kWalk), tile, step) * kWalk;
      i = next(sum.repeated[2], pieces(a.Nq, rows), tile, step) * rows;
      h = next(sum.repeated[1], a.H, tile, step);
      b = next(sum.repeated[0], a.B, tile, step);
    }
    static FOVEA_DEVICE int next(bool repeated, int size, std::int64_t& tile, std::int64_t& step) {
      if (size == 0) return 0;  // nothing is summed: the result is 0
      const std::int64_t from = repeated ? step : tile, rest = from / size;
      if (repeated)
        step = rest;
      else
        tile = rest;
      return static_cast<int>(from - rest * size);
    }
  };

  static FOVEA_DEVICE void add(const SdpaArgs& a, const Where& at, int rows, unsigned char* shared,
                               float (&c)[N][4]) {
    const Head head(a, std::int64_t{at.b} * a.H + at.h);
    if (at.i >= head.queries || at.j >= head.keys || (a.causal && at.j >= at.i + rows)) return;
    const Notes query_notes(shared, rows), key_notes(shared, kWalk);
    const Rest rest(shared, rows);
    const Addend addend(a, shared, rows, kWalk);
    sync_block();  // nobody reads the last tiles any more
    query_notes.write<Side::query>(a, head, at.i, rows);
    key_notes.write<Side::key>(a, head, at.j, kWalk);
    rest.write(a, head, Gradient ? static_cast<const float*>(a.workspace) : nullptr, at.i, rows);
    sync_block();
    const Strip block{at.i, at.j, query_notes, key_notes}, strip = block.of_warp();
    addend.template fill<Side::query>(a, head, block);
    if constexpr (Gradient) {
      const SideTiles<M> queries(a, shared, rows), keys(a, shared, kWalk);
      queries.template load<Side::query>(a, head, query_notes.row);
      keys.template load<Side::key>(a, head, key_notes.row);
      copy_commit();
      copy_wait<0>();
      sync_block();
      float p[N][4] = {}, ds[N][4] = {};
      weights(a, strip, addend, rest, queries.x, keys.x, p);
      product<M>(ds, queries.y.data + 16 * warp() * queries.y.pitch, keys.y.data, keys.y.pitch,
                 keys.y.width);
      score_gradient<Side::query>(ds, p, kept<Side::query, N>(a, head, strip.row, strip.column),
                                  a.keep_inv, rest.delta + 16 * warp());
      accumulate(c, ds);
    } else {
      const Tile<T> q(shared, rows, a.Dk, M::kPad), k(shared, kWalk, a.Dk, M::kPad);
      q.load(a.q, head.base<const T>(a.q), query_notes.row);
      k.load(a.k, head.base<const T>(a.k), key_notes.row);
      copy_commit();
      copy_wait<0>();
      sync_block();
      float p[N][4] = {};
      weights(a, strip, addend, rest, q, k, p);
      accumulate(c, p);
    }
  }

  static FOVEA_DEVICE void weights(const SdpaArgs& a, const Strip& strip, const Addend& addend,
                                   const Rest& rest, const Tile<T>& q, const Tile<T>& k,
                                   float (&p)[N][4]) {
    product<M>(p, q.data + 16 * warp() * q.pitch, k.data, k.pitch, k.width);
    finish_scores<Side::query>(a, strip, addend, p);
    weights_of<Side::query>(p, rest.lse + 16 * warp());
  }
  static FOVEA_DEVICE void accumulate(float (&c)[N][4], const float (&x)[N][4]) {
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) c[n][e] += x[n][e];
  }

  /// The tile through shared memory, summed over its rows and columns where they repeat.
  static FOVEA_DEVICE void write(const SdpaArgs& a, const Sum& sum, const Where& at, int rows,
                                 std::int64_t part, unsigned char* shared, const float (&c)[N][4]) {
    shared += notes_bytes(rows + kWalk) + rest_bytes(rows) + Addend::bytes(a, rows, kWalk);
    auto* tile = reinterpret_cast<float*>(shared);
    sync_block();
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        tile[(16 * warp() + lane() / 4 + e / 2 * 8) * kPitch + Strip::column_of(n, e % 2)] =
            c[n][e];
    sync_block();
    const int over_i = sum.repeated[2] ? rows : 1, over_j = sum.repeated[3] ? kWalk : 1;
    const int height = rows / over_i, width = kWalk / over_j;
    const std::int64_t queries = sum.size(a, 2), keys = sum.size(a, 3);
    float* to = sum.to + part * sum.elements(a) +
                ((sum.repeated[0] ? 0 : at.b) * sum.size(a, 1) + (sum.repeated[1] ? 0 : at.h)) *
                    queries * keys;
    for (int t = thread_index(); t < height * width; t += thread_count()) {
      const int r = t / width, k = t % width;
      const int i = over_i > 1 ? 0 : at.i + r, j = over_j > 1 ? 0 : at.j + k;
      if (i >= queries || j >= keys) continue;
      float x = 0;
      for (int y = 0; y < over_i; ++y)
        for (int z = 0; z < over_j; ++z) x += tile[(r + y) * kPitch + k + z];
      to[i * keys + j] = sum.factor * x;
    }
  }
};

/// Partial sums to the gradient of the bias.
struct AddParts {
  static FOVEA_DEVICE void run(const SdpaArgs& a, const Sum& sum, unsigned char*) {
    const std::int64_t elements = sum.elements(a);
    for (std::int64_t at = block_index() * thread_count() + thread_index(); at < elements;
         at += block_count() * thread_count()) {
      float x = 0;
      for (int part = 0; part < sum.parts; ++part) x += sum.to[part * elements + at];
      std::int64_t rest = at, to = 0;
      for (int d = 3; d >= 0; --d) {
        to += rest % sum.size(a, d) * a.dbias.s[d];
        rest /= sum.size(a, d);
      }
      store_as(a.bias_elem, a.dbias.p, to, x);
    }
  }
};

/// Partial sums [parts, 1, H, N, N] to the gradient of a window's table: a block sums the pairs (i, j) of one bin, its
/// warps share the parts.
struct AddTable {
  static constexpr int kWarps = 4, kSharedBytes = kWarps * int{sizeof(float)};

  static FOVEA_BOTH std::int64_t jobs(const SdpaArgs& a) {
    return (2 * std::int64_t{middle_bin(a.windows)} + 1) * a.H;
  }

  static FOVEA_DEVICE void run(const SdpaArgs& a, const Sum& sum, unsigned char* shared) {
    auto* const sums = reinterpret_cast<float*>(shared);
    for (std::int64_t at = block_index(); at < jobs(a); at += block_count()) {
      const int h = static_cast<int>(at % a.H), bin = static_cast<int>(at / a.H);
      const float of_warp = of_bin(a, sum, h, bin);
      sync_block();  // the last bin is read
      if (lane() == 0) sums[warp()] = of_warp;
      sync_block();
      if (thread_index() != 0) continue;
      float x = 0;
      for (int w = 0; w < kWarps; ++w) x += sums[w];
      store_as(a.bias_elem, a.dtable.p, bin * a.dtable.s[0] + h * a.dtable.s[1], x);
    }
  }

 private:
  static FOVEA_DEVICE float of_bin(const SdpaArgs& a, const Sum& sum, int h, int bin) {
    const Windows& w = a.windows;
    int apart[3], extent[3], pairs = 1, rest = bin;
    for (int d = 2; d >= 0; --d) {
      apart[d] = rest % (2 * w.window[d] - 1) - w.window[d] + 1;
      rest /= 2 * w.window[d] - 1;
      extent[d] = w.window[d] - (apart[d] < 0 ? -apart[d] : apart[d]);
      pairs *= extent[d];
    }
    const int begin = warp() * sum.parts / kWarps, end = (warp() + 1) * sum.parts / kWarps;
    float x = 0;
    for (int pair = lane(); pair < pairs; pair += kWarp) {
      int i = 0, j = 0, places = 1, left = pair;
      for (int d = 2; d >= 0; --d) {
        const int at = left % extent[d];
        left /= extent[d];
        i += (at + (apart[d] > 0 ? apart[d] : 0)) * places;
        j += (at - (apart[d] < 0 ? apart[d] : 0)) * places;
        places *= w.window[d];
      }
#pragma unroll 8
      for (int part = begin; part < end; ++part)
        x += sum.to[part * sum.elements(a) + (std::int64_t{h} * a.Nq + i) * a.Nk + j];
    }
    for (int mask = 16; mask > 0; mask /= 2) x += shuffle_xor(x, mask);
    return x;
  }
};

}  // namespace fovea::cuda
