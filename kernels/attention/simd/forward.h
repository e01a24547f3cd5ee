// The forward pass of one head: strips of queries against all keys. A strip of scores stays in the cache, so that one
// softmax over all keys does, without the running maximum of a walk over blocks of keys.
#pragma once

#include "attention/simd/scores.h"
#include "attention/simd/way.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

/// Queries whose scores are held at once: of `floats` scores, in whole tiles, but no fewer than `least` where there are so many.
FOVEA_INLINE std::int64_t strip_of(const Problem& p, std::int64_t floats, std::int64_t least) {
  constexpr std::int64_t tile = FOVEA_ROWS(FOVEA_COLUMNS);
  const std::int64_t fit = floats / padded(p.Nk) / tile * tile, rows = fit < least ? least : fit;
  return rows < p.Nq ? rows : p.Nq;
}

struct ForwardRoom {
  SightRoom sight;
  std::int64_t strip;
  float *keys, *values, *queries, *scores, *kept, *out;
  Softened softened;

  FOVEA_INLINE ForwardRoom(const Problem& p, Arena& arena)
      : sight(p, arena), strip(strip_of(p, 1 << 14, 12)) {
    keys = arena.take(panels(p.Nk) * kPanel * p.Dk);
    values = arena.take(p.Nk * padded(p.Dv));
    queries = arena.take(strip * padded(p.Dk));
    scores = arena.take(strip * padded(p.Nk));
    kept = arena.take(p.dropout.threshold ? padded(p.Nk) + kLanes : 0);
    out = arena.take(strip * padded(p.Dv) + padded(p.Dk));
    softened = {arena.take(padded(strip)), arena.take(padded(strip)), arena.take(padded(strip))};
  }
};

/// Queries `first` to `last` of head h of batch b. Way: how its elements T are multiplied.
template <class T, class Way>
void forward_head(const Problem& p, std::int64_t b, std::int64_t h, std::int64_t first,
                  std::int64_t last, float* memory) {
  using Op = typename Way::Op;
  Arena arena{memory};
  const ForwardRoom room(p, arena);
  const Sight sight(p, b, h, room.sight);
  const Rows<T> q = rows_of<T>(p, p.q, b, h), k = rows_of<T>(p, p.k, b, h),
                v = rows_of<T>(p, p.v, b, h), out = rows_of<T>(p, p.out, b, h);
  const std::int64_t most = sight.keys_until(last), score_step = padded(p.Nk),
                     out_step = padded(p.Dv);
  const std::int64_t depth = Way::depth(p.Dk);
  float* lse = static_cast<float*>(p.lse) + (b * p.H + h) * p.Nq;
  float* col_sum = p.col_sum ? p.col_sum + (b * p.H + h) * p.Nk : nullptr;

  turn(Way::read(k), most, depth, sight.seen, room.out, room.keys);
  const Block values = Way::stacked(v, 0, most, p.Dv, sight.seen, room.values);

  for (std::int64_t begin = first; begin < last; begin += room.strip) {
    const std::int64_t end = begin + room.strip < last ? begin + room.strip : last;
    const std::int64_t live = end < sight.queries ? end : sight.queries;
    const std::int64_t rows = live > begin ? live - begin : 0;
    const std::int64_t count = sight.keys_until(end), wide = padded(count);
    if (rows > 0) {
      const Block queries = block_of(Way::read(q), begin, live, depth, nullptr, room.queries);
      product<Op, Read::rows, false>(queries.data, queries.step, room.keys, kPanel, kPanel * depth,
                                     depth, room.scores, score_step, rows, wide);
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      float *row = room.scores + r * score_step, &total = room.softened.total[r];
      const std::int64_t i = begin + r;
      if (q.at(i)) {
        if (sight.plain)
          soften<true>(sight, row, i, wide, room.softened.most[r], total);
        else
          soften<false>(sight, row, i, wide, room.softened.most[r], total);
      } else {
        clear(row, wide);
        total = 0;
      }
      if (total > 0 && col_sum) add_scaled(col_sum, row, 1 / total, count);
      if (total > 0 && p.avg_map)
        add_scaled(p.avg_map + (b * p.Nq + i) * p.Nk, row, 1 / (total * static_cast<float>(p.H)),
                   count);
      if (p.dropout.threshold) {
        draw(p.dropout, b * p.H + h, i, wide, room.kept);
        multiply(row, room.kept, wide);
      }
    }
    finish(room.softened, rows, lse + begin);
    if (rows > 0) {
      const Block weights = Way::across(room.scores, score_step, rows, wide);
      product<Op, Read::rows, false>(weights.data, weights.step, values.data, values.step, kPanel,
                                     Way::depth(count), room.out, out_step, rows, out_step);
    }
    for (std::int64_t r = 0; r < rows; ++r)
      if (T* to = out.at(begin + r))
        write_row(to, out.channel, room.out + r * out_step, room.softened.factor[r], p.Dv);
    for (std::int64_t i = begin + rows; i < end; ++i) {  // beyond the length
      lse[i] = -kNone;
      write_zeros(out, i, i + 1, p.Dv);
    }
  }
}

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
