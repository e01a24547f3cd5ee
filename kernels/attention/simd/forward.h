// The forward pass of one head: strips of queries against all keys. A strip of scores stays in the cache, so that one
// softmax over all keys does, without the running maximum of a walk over blocks of keys.
#pragma once

#include "attention/simd/scores.h"
#include "attention/simd/tile.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

/// Queries whose scores are held at once: about 64 KiB of them, in whole tiles.
FOVEA_INLINE std::int64_t strip_of(const Problem& p) {
  constexpr std::int64_t tile = FOVEA_ROWS(FOVEA_COLUMNS);
  const std::int64_t rows = 16384 / padded(p.Nk) / tile * tile;
  return rows < tile ? tile : rows > p.Nq ? p.Nq : rows;
}

struct ForwardRoom {
  std::int64_t strip;
  float *keys, *values, *queries, *scores, *kept, *out, *factors;
  std::uint8_t* seen;

  FOVEA_INLINE ForwardRoom(const Problem& p, Arena& arena) : strip(strip_of(p)) {
    keys = arena.take(panels(p.Nk) * kPanel * p.Dk);
    values = arena.take(p.Nk * padded(p.Dv));
    queries = arena.take(strip * padded(p.Dk));
    scores = arena.take(strip * padded(p.Nk));
    kept = arena.take(p.dropout.threshold ? padded(p.Nk) + 4 * kLanes : 0);
    out = arena.take(strip * padded(p.Dv) + padded(p.Dk));
    factors = arena.take(strip);
    seen = reinterpret_cast<std::uint8_t*>(arena.take(p.Nk / 4 + 1));
  }
};

/// Queries `first` to `last` of head h of batch b.
template <class T>
void forward_head(const Problem& p, std::int64_t b, std::int64_t h, std::int64_t first,
                  std::int64_t last, float* memory) {
  Arena arena{memory};
  const ForwardRoom room(p, arena);
  const Sight sight(p, b, h, room.seen);
  const Rows<T> q = rows_of<T>(p, p.q, b, h), k = rows_of<T>(p, p.k, b, h),
                v = rows_of<T>(p, p.v, b, h), out = rows_of<T>(p, p.out, b, h);
  const std::int64_t most = sight.keys_until(last), score_step = padded(p.Nk),
                     out_step = padded(p.Dv);
  const float scale = left_to_scale(sight);
  float* lse = static_cast<float*>(p.lse) + (b * p.H + h) * p.Nq;
  float* col_sum = p.col_sum ? p.col_sum + (b * p.H + h) * p.Nk : nullptr;

  turn(k, most, p.Dk, sight.seen, room.out, room.keys);
  const Block values = block_of(v, 0, most, p.Dv, sight.seen, room.values);

  for (std::int64_t begin = first; begin < last; begin += room.strip) {
    const std::int64_t end = begin + room.strip < last ? begin + room.strip : last;
    const std::int64_t live = end < sight.queries ? end : sight.queries;
    const std::int64_t rows = live > begin ? live - begin : 0, count = sight.keys_until(end);
    if (rows > 0) {
      const Block queries = block_of(q, begin, live, p.Dk, nullptr, room.queries);
      product<Read::rows>(queries.data, queries.step, room.keys, kPanel, kPanel * p.Dk, p.Dk,
                          room.scores, score_step, rows, padded(count), false);
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      float* row = room.scores + r * score_step;
      const std::int64_t i = begin + r, wide = padded(count);
      Softmax softened;
      if (q.at(i)) {
        sight.score(row, i, count);
        softened = softmax(row, wide, scale);
      } else {
        clear(row, wide);
      }
      const bool sees = softened.most != kNone;
      const float factor = sees ? 1 / softened.total : 0;
      lse[i] = sees ? (softened.most + __builtin_log2f(softened.total)) / kLog2E : -kNone;
      if (col_sum)
        for (std::int64_t j = 0; j < count; ++j) col_sum[j] += row[j] * factor;
      if (p.avg_map) {
        float* map = p.avg_map + (b * p.Nq + i) * p.Nk;
        for (std::int64_t j = 0; j < count; ++j)
          map[j] += row[j] * factor / static_cast<float>(p.H);
      }
      if (p.dropout.threshold) {
        draw(p.dropout, b * p.H + h, i, wide, room.kept);
        multiply(row, room.kept, wide);
      }
      room.factors[r] = factor;
    }
    if (rows > 0)
      product<Read::rows>(room.scores, score_step, values.data, values.step, kPanel, count,
                          room.out, out_step, rows, out_step, false);
    for (std::int64_t r = 0; r < rows; ++r)
      if (T* to = out.at(begin + r))
        write_row(to, out.channel, room.out + r * out_step, room.factors[r], p.Dv);
    for (std::int64_t i = begin + rows; i < end; ++i) {  // beyond the length
      lse[i] = -kNone;
      if (T* to = out.at(i))
        for (std::int64_t c = 0; c < p.Dv; ++c) put(to + c * out.channel, 0);
    }
  }
}

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
