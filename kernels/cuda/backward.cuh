// Backward: weights are computed anew from the scores and the saved lse. One kernel owns rows of queries and walks over keys
// (dQ), one owns rows of keys and walks over queries (dK, dV): each gradient is written once, in the same order every time.
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
  /// In two steps: x may be used after copy_wait<1>.
  template <Side S>
  FOVEA_DEVICE void load(const SdpaArgs& a, const Head& head, const int* row) const {
    const View4 &from_x = S == Side::query ? a.q : a.k,
                &from_y = S == Side::query ? a.grad_out : a.v;
    x.load(from_x, head.base<const T>(from_x), row);
    copy_commit();
    y.load(from_y, head.base<const T>(from_y), row);
    copy_commit();
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
    return notes_bytes(rows + kWalk) + rest_bytes(Rows == Side::query ? rows : kWalk) +
           SideTiles<M>::bytes(a, rows) + SideTiles<M>::bytes(a, kWalk) +
           Addend::bytes(a, rows, kWalk);
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
    const Notes own_notes(shared, rows), notes(shared, kWalk);
    const Rest rest(shared, Rows == Side::query ? rows : kWalk);
    const SideTiles<M> own(a, shared, rows), walked(a, shared, kWalk);
    const Addend addend(a, shared, rows, kWalk);
    const int tiles = pieces(count(a), rows);
    for (std::int64_t job = block_index(); job < jobs(a, rows); job += block_count()) {
      const int first = static_cast<int>(job / cuts(a) % tiles) * rows;
      const int cut = static_cast<int>(job % cuts(a));
      walk(a, Head(a, job / cuts(a) / tiles), Part(a, cut), {first, 0, own_notes, notes}, rest, own,
           walked, addend);
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

  static FOVEA_DEVICE void walk(const SdpaArgs& a, const Head& head, const Part& part, Strip block,
                                const Rest& rest, const SideTiles<M>& own,
                                const SideTiles<M>& walked, const Addend& addend) {
    const int first = block.row;
    const auto* delta = static_cast<const float*>(a.workspace);
    if (!part.x && !part.v) return;
    float sums[kApart || Rows == Side::query ? 1 : 2][W][4] = {};
    float(&dx)[W][4] = sums[0];
    float(&dv)[W][4] = sums[sizeof sums / sizeof *sums - 1];
    int begin = 0, end = Rows == Side::query ? head.keys : head.queries;
    if (first >= (Rows == Side::query ? head.queries : head.keys)) end = 0;
    if (a.causal && Rows == Side::query) end = smaller(end, first + own.x.rows);
    if (a.causal && Rows == Side::key) begin = first / kWalk * kWalk;
    for (block.column = begin; block.column < end; block.column += kWalk) {
      sync_block();  // nobody reads the last tiles any more
      if (block.column == begin) block.rows.template write<Rows>(a, head, first, own.x.rows);
      block.columns.template write<kColumnsSide>(a, head, block.column, kWalk);
      if (Rows == Side::key) rest.write(a, head, delta, block.column, kWalk);
      if (Rows == Side::query && block.column == begin)
        rest.write(a, head, delta, first, own.x.rows);
      sync_block();
      if (block.column == begin) own.template load<Rows>(a, head, block.rows.row);
      walked.template load<kColumnsSide>(a, head, block.columns.row);
      addend.template fill<Rows>(a, head, block);
      copy_wait<1>();
      sync_block();
      step(a, head, block.of_warp(), part, rest, own, walked, addend, dx, dv);
    }

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

  static FOVEA_DEVICE void step(const SdpaArgs& a, const Head& head, const Strip& strip,
                                const Part& part, const Rest& rest, const SideTiles<M>& own,
                                const SideTiles<M>& walked, const Addend& addend, float (&dx)[W][4],
                                float (&dv)[W][4]) {
    const int first = Rows == Side::query ? 16 * warp() : 0;  // of rest
    float p[N][4] = {};
    product<M>(p, own.x.data + 16 * warp() * own.x.pitch, walked.x.data, own.x.pitch, own.x.width);
    finish_scores<Rows>(a, strip, addend, p);
    weights_of<Rows>(p, rest.lse + first);
    const std::uint32_t keeps = kept<Rows, N>(a, head, strip.row, strip.column);
    copy_wait<0>();
    sync_block();
    if (part.v) {
      float dropped[N][4];
#pragma unroll
      for (int n = 0; n < N; ++n)
#pragma unroll
        for (int e = 0; e < 4; ++e) dropped[n][e] = p[n][e];
      drop(dropped, keeps);
      weighted_sum<M>(dv, dropped, walked.y.data + part.column, walked.y.pitch,
                      smaller(kColumns, walked.y.width - part.column));
    }
    if (part.x) {
      float ds[N][4] = {};
      product<M>(ds, own.y.data + 16 * warp() * own.y.pitch, walked.y.data, own.y.pitch,
                 own.y.width);
      score_gradient<Rows>(ds, p, keeps, a.keep_inv, rest.delta + first);
      weighted_sum<M>(dx, ds, walked.x.data + part.column, walked.x.pitch,
                      smaller(kColumns, walked.x.width - part.column));
    }
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
