// Backward: weights are computed anew from the scores and the saved lse. One kernel owns rows of queries and walks over keys
// (dQ), one owns rows of keys and walks over queries (dK, dV): each gradient is written once, in the same order every time.
// While a tile is computed, the next one arrives.
#pragma once

#include "cuda/scores.cuh"

namespace fovea::cuda {

/// What the backward pass reads of one side: q and grad_out, or k and v.
template <class M>
struct SideTiles {
  using T = typename M::Element;
  Tile<T> x, y;  // Dk and Dv columns

  FOVEA_DEVICE SideTiles(const SdpaArgs& a, unsigned char*& shared, int rows)
      : x(shared, rows, a.Dk, M::kPad), y(shared, rows, a.Dv, M::kPad) {}
  static FOVEA_BOTH int bytes(const SdpaArgs& a, int rows) {
    return tile_bytes<M>(rows, a.Dk) + tile_bytes<M>(rows, a.Dv);
  }
  template <Side S>
  static FOVEA_DEVICE void load_x(const SdpaArgs& a, const Head& head, const int* row,
                                  const Tile<T>& to) {
    const View4& from = S == Side::query ? a.q : a.k;
    to.load(from, head.base<const T>(from), row);
  }
  template <Side S>
  FOVEA_DEVICE void load_y(const SdpaArgs& a, const Head& head, const int* row) const {
    const View4& from = S == Side::query ? a.grad_out : a.v;
    y.load(from, head.base<const T>(from), row);
  }
  template <Side S>
  FOVEA_DEVICE void load(const SdpaArgs& a, const Head& head, const int* row) const {
    load_x<S>(a, head, row, x);
    load_y<S>(a, head, row);
  }
};

/// The gradients of the side that owns the rows; their columns are cut into blocks of 8 W. A step takes 8 N of the other
/// side.
template <class M, Side Rows, int W, int N>
struct Backward {
  using T = typename M::Element;
  static constexpr int kColumns = 8 * W, kWalk = 8 * N;
  // Two wide sums do not fit the registers: a block takes either then, at the price of the scores computed twice.
  static constexpr bool kApart = Rows == Side::key && W == 16;
  static constexpr Side kColumnsSide = Rows == Side::query ? Side::key : Side::query;

  static FOVEA_BOTH int shared_bytes(const SdpaArgs& a, int rows) {
    return notes_bytes(rows + 2 * kWalk) + rest_bytes(Rows == Side::query ? rows : 2 * kWalk) +
           SideTiles<M>::bytes(a, rows) + SideTiles<M>::bytes(a, kWalk) +
           tile_bytes<M>(kWalk, a.Dk) + Addend::bytes(a, rows, kWalk);
  }
  static FOVEA_BOTH int widest(const SdpaArgs& a) {
    if (Rows == Side::query) return a.Dk;
    const int dk = a.dk.p ? a.Dk : 0, dv = a.dv.p ? a.Dv : 0;
    return dk < dv ? dv : dk;
  }
  static FOVEA_BOTH std::int64_t jobs(const SdpaArgs& a, int rows) {
    return std::int64_t{a.B} * a.H * pieces(count(a), rows) * cuts(a);
  }

  static FOVEA_DEVICE void run(const SdpaArgs& a, unsigned char* shared) {
    const int rows = thread_count() / 2;  // 16 a warp
    const Room room(a, shared, rows);
    const int tiles = pieces(count(a), rows);
    for (std::int64_t job = block_index(); job < jobs(a, rows); job += block_count()) {
      const int first = static_cast<int>(job / cuts(a) % tiles) * rows;
      const int cut = static_cast<int>(job % cuts(a));
      walk(a, Head(a, job / cuts(a) / tiles), Part(a, cut), first, room);
    }
  }

 private:
  /// What a block computes: columns of dQ or dK (x), and of dV.
  struct Part {
    int column;
    bool x, v;
    FOVEA_DEVICE Part(const SdpaArgs& a, int cut)
        : column((kApart ? cut / 2 : cut) * kColumns),
          x((Rows == Side::query || a.dk.p) && column < a.Dk && !(kApart && cut % 2 == 1)),
          v(Rows == Side::key && a.dv.p && column < a.Dv && !(kApart && cut % 2 == 0)) {}
  };
  static FOVEA_BOTH int cuts(const SdpaArgs& a) {
    return pieces(widest(a), kColumns) * (kApart ? 2 : 1);
  }
  static FOVEA_BOTH int count(const SdpaArgs& a) { return Rows == Side::query ? a.Nq : a.Nk; }

  /// The shared memory. Of the side that is walked over, x is used first and last in a step and there twice; y is free again
  /// before the end.
  struct Room {
    Notes own_notes;
    NotesOfTwo notes;
    Rest rest;  // of the rows, or of the columns in even and odd steps
    SideTiles<M> own, walked;
    Tile<T> next_x;  // walked.x of odd steps
    Addend addend;

    FOVEA_DEVICE Room(const SdpaArgs& a, unsigned char*& shared, int rows)
        : own_notes(shared, rows),
          notes(shared, kWalk),
          rest(shared, Rows == Side::query ? rows : 2 * kWalk),
          own(a, shared, rows),
          walked(a, shared, kWalk),
          next_x(shared, kWalk, a.Dk, M::kPad),
          addend(a, shared, rows, kWalk) {}

    FOVEA_DEVICE Tile<T> x(int step) const {
      Tile<T> tile = walked.x;
      tile.data += step % 2 * (next_x.data - tile.data);
      return tile;
    }
    FOVEA_DEVICE Rest rest_of(int step) const {
      return {rest, Rows == Side::query ? 0 : step % 2 * kWalk};
    }
    FOVEA_DEVICE void write_notes(const SdpaArgs& a, const Head& head, int step, int column) const {
      notes.of(step).template write<kColumnsSide>(a, head, column, kWalk);
      if (Rows == Side::key)
        rest_of(step).write(a, head, static_cast<const float*>(a.workspace), column, kWalk);
    }
  };

  static FOVEA_DEVICE void walk(const SdpaArgs& a, const Head& head, const Part& part, int first,
                                const Room& room) {
    if (!part.x && !part.v) return;
    float sums[kApart || Rows == Side::query ? 1 : 2][W][4] = {};
    float(&dx)[W][4] = sums[0];
    float(&dv)[W][4] = sums[sizeof sums / sizeof *sums - 1];
    const int rows = room.own.x.rows;
    int begin = 0, end = Rows == Side::query ? head.keys : head.queries;
    if (first >= (Rows == Side::query ? head.queries : head.keys)) end = 0;
    if (a.causal && Rows == Side::query) end = smaller(end, first + rows);
    if (a.causal && Rows == Side::key) begin = first / kWalk * kWalk;
    if (begin < end) {
      // Of the last job only x may still be in use.
      room.own_notes.template write<Rows>(a, head, first, rows);
      if (Rows == Side::query)
        room.rest.write(a, head, static_cast<const float*>(a.workspace), first, rows);
      room.write_notes(a, head, 0, begin);
      sync_block();
      room.own.template load<Rows>(a, head, room.own_notes.row);
      room.walked.template load_x<kColumnsSide>(a, head, room.notes.of(0).row, room.x(0));
      copy_commit();
      room.walked.template load_y<kColumnsSide>(a, head, room.notes.of(0).row);
      copy_commit();
    }
    for (int column = begin, number = 0; column < end; column += kWalk, ++number)
      step(a, head, part, {first, column, room.own_notes, room.notes.of(number)}, number,
           column + kWalk < end, room, dx, dv);
    copy_wait<0>();

    int row[2];
    rows_to_store(a, head, first + 16 * warp(), count(a), row);
    const View4& to = Rows == Side::query ? a.dq : a.dk;
    if (part.x) {
      const float factor[2] = {a.scale, a.scale};
      store_rows(dx, to, head.base<T>(to) + part.column * to.s[3], row, factor,
                 smaller(kColumns, a.Dk - part.column));
    }
    if (part.v) {
      const float factor[2] = {a.keep_inv, a.keep_inv};
      store_rows(dv, a.dv, head.base<T>(a.dv) + part.column * a.dv.s[3], row, factor,
                 smaller(kColumns, a.Dv - part.column));
    }
  }

  /// x of this step, then y are on their way.
  static FOVEA_DEVICE void step(const SdpaArgs& a, const Head& head, const Part& part,
                                const Strip& block, int number, bool more, const Room& room,
                                float (&dx)[W][4], float (&dv)[W][4]) {
    const int* const next = room.notes.of(number + 1).row;
    const Tile<T> x = room.x(number), &y = room.walked.y;
    if (more) room.write_notes(a, head, number + 1, block.column + kWalk);
    room.addend.template fill<Rows>(a, head, block);
    copy_wait<1>();
    sync_block();  // x is there, and nobody reads the last one any more
    if (more) room.walked.template load_x<kColumnsSide>(a, head, next, room.x(number + 1));
    copy_commit();

    const Strip strip = block.of_warp();
    const Rest rest = room.rest_of(number);
    const int first = Rows == Side::query ? 16 * warp() : 0;  // of rest
    float p[N][4] = {};
    product<M>(p, room.own.x.data + 16 * warp() * x.pitch, x.data, x.pitch, x.width);
    finish_scores<Rows>(a, strip, room.addend, p);
    weights_of<Rows>(p, rest.lse + first);
    const std::uint32_t keeps = kept<Rows, N>(a, head, strip.row, strip.column);
    copy_wait<1>();
    sync_block();  // y is there
    if (part.v) {
      float dropped[N][4];
#pragma unroll
      for (int n = 0; n < N; ++n)
#pragma unroll
        for (int e = 0; e < 4; ++e) dropped[n][e] = p[n][e];
      drop(dropped, keeps);
      weighted_sum<M>(dv, dropped, y.data + part.column, y.pitch,
                      smaller(kColumns, y.width - part.column));
    }
    float ds[N][4] = {};
    if (part.x) {
      product<M>(ds, room.own.y.data + 16 * warp() * y.pitch, y.data, y.pitch, y.width);
      score_gradient<Rows>(ds, p, keeps, a.keep_inv, rest.delta + first);
    }
    sync_block();  // nobody reads y any more
    if (more) room.walked.template load_y<kColumnsSide>(a, head, next);
    copy_commit();
    if (part.x)
      weighted_sum<M>(dx, ds, x.data + part.column, x.pitch,
                      smaller(kColumns, x.width - part.column));
  }
};

/// delta = sum over channels of grad_out * out, [B, H, Nq] at the head of the workspace; a warp a row.
struct Delta {
  static FOVEA_BOTH std::int64_t count(const SdpaArgs& a) { return std::int64_t{a.B} * a.H * a.Nq; }

  template <class T>
  static FOVEA_DEVICE float dot(const SdpaArgs& a, const Head& head, int row) {
    const T* x = head.base<const T>(a.grad_out) + row * a.grad_out.s[2];
    const T* y = head.base<const T>(a.o) + row * a.o.s[2];
    float sum = 0;
    for (int c = lane(); c < a.Dv; c += kWarp)
      sum += Float<T>::load(x[c * a.grad_out.s[3]]) * Float<T>::load(y[c * a.o.s[3]]);
    return sum;
  }

  static FOVEA_DEVICE void run(const SdpaArgs& a, unsigned char*) {
    const int warps = thread_count() / kWarp;
    for (std::int64_t at = block_index() * warps + warp(); at < count(a);
         at += block_count() * warps) {
      const Head head(a, at / a.Nq);
      const int position = static_cast<int>(at % a.Nq);
      const int row = place_of(a.windows, head.window, position).row;
      float sum = 0;
      if (position < head.queries && row >= 0)
        sum = a.elem == Elem::f32   ? dot<float>(a, head, row)
              : a.elem == Elem::f16 ? dot<f16>(a, head, row)
                                    : dot<bf16>(a, head, row);
      for (int mask = 16; mask > 0; mask /= 2) sum += shuffle_xor(sum, mask);
      if (lane() == 0) static_cast<float*>(a.workspace)[at] = sum;
    }
  }
};

}  // namespace fovea::cuda
