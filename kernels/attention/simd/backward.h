// The backward pass of one head: strips of queries against all keys. Weights are made again from the scores and lse.
#pragma once

#include "attention/simd/forward.h"
#include "attention/simd/way.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

struct BackwardRoom {
  SightRoom sight;
  std::int64_t strip;
  float *keys_turned, *values_turned, *keys, *queries, *grad_outs, *queries_stacked,
      *grad_outs_stacked, *scores, *grads, *down, *kept, *dq, *dk, *dv, *nothing;

  FOVEA_INLINE BackwardRoom(const Problem& p, Arena& arena)
      : sight(p, arena), strip(strip_of(p, 1 << 15, 96)) {
    keys_turned = arena.take(panels(p.Nk) * kPanel * p.Dk);
    values_turned = arena.take(panels(p.Nk) * kPanel * p.Dv);
    keys = arena.take(p.Nk * padded(p.Dk));
    queries = arena.take(strip * padded(p.Dk));
    grad_outs = arena.take(strip * padded(p.Dv));
    queries_stacked = arena.take(strip * padded(p.Dk));
    grad_outs_stacked = arena.take(strip * padded(p.Dv));
    scores = arena.take(strip * padded(p.Nk));
    grads = arena.take(strip * padded(p.Nk));
    down = arena.take((strip + 1) / 2 * padded(p.Nk));
    kept = arena.take(p.dropout.threshold ? padded(p.Nk) + kLanes : 0);
    dq = arena.take(strip * padded(p.Dk));
    dk = arena.take(p.Nk * padded(p.Dk));
    dv = arena.take(p.Nk * padded(p.Dv));
    nothing = arena.take(padded(p.Dk) + padded(p.Dv));
  }
};

/// Adds the gradients of a row's scores to those of its bias; a stride of 0 adds up over keys.
FOVEA_INLINE void add_to_bias(float* to, std::int64_t step, const float* grads,
                              std::int64_t count) {
  if (step) return add_scaled(to, grads, 1, count);
  for (std::int64_t j = 0; j < count; ++j) *to += grads[j];
}

/// Products of query i become weights, and the gradients of dropped weights those of scores: weight (gradient - mean of the
/// gradients). The mean is out * grad_out too, but that has been rounded: from the weights themselves the row's sum is exactly 0.
template <bool plain>
FOVEA_INLINE void gradients_of_scores(const Sight& sight, float* weights, float* grads,
                                      const float* kept, std::int64_t i, std::int64_t wide,
                                      float shift) {
  const Seen by = sight.seen_by(i, wide);
  const float scale = sight.left();
  Vec total{}, products{};
  for (std::int64_t j = 0; j < wide; j += kLanes) {
    const Vec weight = exp2(sight.score<plain>(weights, by, i, j) * scale - shift);
    Vec grad = load(grads + j);
    if (kept) store(grads + j, grad *= load(kept + j));
    total += weight;
    products += weight * grad;
    store(weights + j, weight);
  }
  const float mean = sum(products) / sum(total);
  for (std::int64_t j = 0; j < wide; j += kLanes) {
    const Vec weight = load(weights + j);
    store(grads + j, weight * (load(grads + j) - mean));
    if (kept) store(weights + j, weight * load(kept + j));
  }
}

/// Sums for keys, [Nk, padded(Dk)] and [Nk, padded(Dv)].
struct KeySums {
  float *dk, *dv;
};
FOVEA_INLINE std::int64_t slab_room(const Problem& p) {
  return p.Nk * (padded(p.Dk) + padded(p.Dv));
}
FOVEA_INLINE KeySums sums_of(const Problem& p, float* slab) {
  return {slab, slab + p.Nk * padded(p.Dk)};
}

/// Writes sums of `width` floats times `factor` to rows 0 to `count`, zeros to those from there to n.
template <class T>
FOVEA_INLINE void write_rows(const Rows<T>& rows, std::int64_t count, std::int64_t n,
                             const float* from, float factor, std::int64_t width) {
  for (std::int64_t i = 0; i < count; ++i)
    if (T* to = rows.at(i)) write_row(to, rows.channel, from + i * padded(width), factor, width);
  write_zeros(rows, count, n, width);
}
/// dK and dV of one head; beyond `count` keys they are 0.
template <class T>
FOVEA_INLINE void write_keys(const Problem& p, std::int64_t b, std::int64_t h, const KeySums& sums,
                             std::int64_t count) {
  const Rows<T> dk = rows_of<T>(p, p.dk, b, h), dv = rows_of<T>(p, p.dv, b, h);
  if (dk.base) write_rows(dk, count, p.Nk, sums.dk, static_cast<float>(p.scale), p.Dk);
  if (dv.base) write_rows(dv, count, p.Nk, sums.dv, 1, p.Dv);
}

/// Arguments as those of Kernels::backward.
template <class T, class Way>
void backward_head(const Problem& p, std::int64_t b, std::int64_t h, std::int64_t first,
                   std::int64_t last, float* slab, float* dbias, float* memory) {
  using Op = typename Way::Op;
  Arena arena{memory};
  const BackwardRoom room(p, arena);
  const Sight sight(p, b, h, room.sight);
  const Rows<T> q = rows_of<T>(p, p.q, b, h), k = rows_of<T>(p, p.k, b, h),
                v = rows_of<T>(p, p.v, b, h), grad_out = rows_of<T>(p, p.grad_out, b, h),
                dq = rows_of<T>(p, p.dq, b, h);
  const std::int64_t queries = sight.queries < last ? sight.queries : last,
                     keys = sight.keys_until(queries);
  const std::int64_t score_step = padded(p.Nk), dk_step = padded(p.Dk), dv_step = padded(p.Dv);
  const std::int64_t depth = Way::depth(p.Dk), depth_out = Way::depth(p.Dv);
  const float* lse = static_cast<const float*>(p.lse) + (b * p.H + h) * p.Nq;

  turn(Way::read(k), keys, depth, sight.seen, room.nothing, room.keys_turned);
  turn(Way::read(v), keys, depth_out, sight.seen, room.nothing, room.values_turned);
  const Block key_rows = Way::stacked(k, 0, keys, p.Dk, sight.seen, room.keys);
  const KeySums sums = slab ? sums_of(p, slab) : KeySums{room.dk, room.dv};
  clear(sums.dk, (slab ? p.Nk : keys) * dk_step);
  clear(sums.dv, (slab ? p.Nk : keys) * dv_step);

  for (std::int64_t begin = first; begin < queries; begin += room.strip) {
    const std::int64_t end = begin + room.strip < queries ? begin + room.strip : queries;
    const std::int64_t rows = end - begin, count = sight.keys_until(end), wide = padded(count);
    const Block q_rows = block_of(Way::read(q), begin, end, depth, nullptr, room.queries);
    const Block grad_rows =
        block_of(Way::read(grad_out), begin, end, depth_out, nullptr, room.grad_outs);
    product<Op, Read::rows, false>(q_rows.data, q_rows.step, room.keys_turned, kPanel,
                                   kPanel * depth, depth, room.scores, score_step, rows, wide);
    product<Op, Read::rows, false>(grad_rows.data, grad_rows.step, room.values_turned, kPanel,
                                   kPanel * depth_out, depth_out, room.grads, score_step, rows,
                                   wide);
    for (std::int64_t r = 0; r < rows; ++r) {
      float *weights = room.scores + r * score_step, *grads = room.grads + r * score_step;
      const std::int64_t i = begin + r;
      if (!q.at(i) || lse[i] == -kNone) {  // sees nothing
        clear(weights, wide);
        clear(grads, wide);
        continue;
      }
      const float* kept = p.dropout.threshold ? room.kept : nullptr;
      if (kept) draw(p.dropout, b * p.H + h, i, wide, room.kept);
      if (sight.plain)
        gradients_of_scores<true>(sight, weights, grads, kept, i, wide, lse[i] * kLog2E);
      else
        gradients_of_scores<false>(sight, weights, grads, kept, i, wide, lse[i] * kLog2E);
      if (dbias) add_to_bias(dbias + i * p.dbias.stride[2], p.dbias.stride[3], grads, count);
    }
    if (p.dv.data) {
      const Block weights = Way::down(room.scores, score_step, rows, wide, room.down);
      const Block stacked =
          Way::stacked(grad_out, begin, end, p.Dv, nullptr, room.grad_outs_stacked);
      product<Op, Read::columns, true>(weights.data, weights.step, stacked.data, stacked.step,
                                       kPanel, Way::depth(rows), sums.dv, dv_step, count, dv_step);
    }
    if (p.dk.data) {
      const Block grads = Way::down(room.grads, score_step, rows, wide, room.down);
      const Block stacked = Way::stacked(q, begin, end, p.Dk, nullptr, room.queries_stacked);
      product<Op, Read::columns, true>(grads.data, grads.step, stacked.data, stacked.step, kPanel,
                                       Way::depth(rows), sums.dk, dk_step, count, dk_step);
    }
    if (dq.base) {
      const Block grads = Way::across(room.grads, score_step, rows, wide);
      product<Op, Read::rows, false>(grads.data, grads.step, key_rows.data, key_rows.step, kPanel,
                                     Way::depth(count), room.dq, dk_step, rows, dk_step);
      for (std::int64_t r = 0; r < rows; ++r)
        if (T* to = dq.at(begin + r))
          write_row(to, dq.channel, room.dq + r * dk_step, static_cast<float>(p.scale), p.Dk);
    }
  }
  if (dq.base) write_zeros(dq, queries > first ? queries : first, last, p.Dk);
  if (!slab) write_keys<T>(p, b, h, sums, keys);
}

template <class T>
void add_slabs_of_head(const Problem& p, std::int64_t b, std::int64_t h, float* slabs,
                       std::int64_t count) {
  for (std::int64_t i = 1; i < count; ++i)
    add_scaled(slabs, slabs + i * slab_room(p), 1, slab_room(p));
  write_keys<T>(p, b, h, sums_of(p, slabs), p.Nk);
}

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
