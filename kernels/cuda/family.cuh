// The mma.sync kernels of one element type: right for every argument on every sm_80+. Where one tile holds all positions, as
// in most windows, kernels of their own.
#pragma once

#include "cuda/collect.cuh"
#include "cuda/forward.cuh"
#include "cuda/launch.cuh"
#include "cuda/window_backward.cuh"
#include "cuda/window_forward.cuh"

namespace fovea::cuda {

/// Calls f with the narrowest block of columns that holds them all, or the widest there is.
template <int Tiles>
struct Width {
  static constexpr int kTiles = Tiles;
};
template <class F>
int with_width(int columns, const F& f) {
  if (columns <= 32) return f(Width<4>());
  if (columns <= 64) return f(Width<8>());
  return f(Width<16>());
}

/// Whether one tile holds the call: few positions, short rows, and what is added to the scores alike for every batch.
inline bool fits_window(const SdpaArgs& a) {
  const int widest = std::max(a.Dk, a.Dv) * (a.elem == Elem::f32 ? 4 : 2);
  const bool bias = !a.bias.p || a.bias.s[0] == 0;
  const bool mask = !a.mask.p || a.mask.s[0] == 0 || a.mask.s[2] == 0;
  const auto full = [](std::int64_t stride, int size) { return stride != 0 || size == 1; };
  const bool dbias = !a.dbias.p || ((a.dbias.s[0] == 0 || a.B == 1) && full(a.dbias.s[1], a.H) &&
                                    full(a.dbias.s[2], a.Nq) && full(a.dbias.s[3], a.Nk));
  return std::max(a.Nq, a.Nk) <= kPositions && widest <= 128 && bias && mask && dbias;
}
template <class M, class F>
int with_window_width(const SdpaArgs& a, const F& f) {
  const int columns = std::max(a.Dk, a.Dv);
  if (columns <= 16) return f(Width<2>());
  if constexpr (sizeof(typename M::Element) == 2)
    if (columns > 32) return f(Width<8>());
  return f(Width<4>());
}
template <class Body>
int launch_window(const SdpaArgs& a) {
  static_assert(Body::kSharedBytes <= kSharedOfAll);
  return launch<Body>(WindowWalk::jobs(a), kWindowThreads, Body::kSharedBytes, a);
}
inline Sum window_sum(const SdpaArgs& a) {
  return {static_cast<float*>(a.workspace), {true}, WindowWalk::parts(a), 1.0F};
}

/// The steps of a sum are shared out until there are about as many blocks as a GPU wants; by the shape alone, since the
/// order of a sum depends on it.
inline Sum sum_of(const SdpaArgs& a, const View4& dbias) {
  Sum sum{nullptr, {}, 1, 1.0F};
  for (int d = 0; d < 4; ++d) sum.repeated[d] = dbias.s[d] == 0;
  const std::int64_t tiles = sum.tiles<true>(a, 64, 32), steps = sum.tiles<false>(a, 64, 32);
  sum.parts = static_cast<int>(std::clamp<std::int64_t>(1024 / std::max<std::int64_t>(tiles, 1), 1,
                                                        std::max<std::int64_t>(steps, 1)));
  return sum;
}
/// One part in the layout and type of the gradient is the gradient: no detour through the workspace.
inline bool is_whole(const SdpaArgs& a, const Sum& sum) {
  std::int64_t step = 1;
  for (int d = 3; d >= 0; --d) {
    if (!sum.repeated[d] && a.dbias.s[d] != step) return false;
    step *= sum.size(a, d);
  }
  return sum.parts == 1 && a.bias_elem == Elem::f32;
}
inline Sum table_sum(const SdpaArgs& a) { return sum_of(a, View4{nullptr, {0, 1, 1, 1}}); }

// In sdpa.cu, since they are the same for every type.
int write_delta(const SdpaArgs& a);
int add_parts(const SdpaArgs& a, const Sum& sum);
int add_table(const SdpaArgs& a, const Sum& sum);

/// out and lse; of windows also the sums of columns.
template <class M>
int forward_of(const SdpaArgs& a) {
  constexpr int kKeyTiles = sizeof(typename M::Element) == 2 ? 8 : 4;
  if (fits_window(a))
    return with_window_width<M>(
        a, [&](auto width) { return launch_window<WindowForward<M, decltype(width)::kTiles>>(a); });
  return with_width(a.Dv, [&](auto width) {
    return launch_rows<Forward<M, decltype(width)::kTiles, kKeyTiles>>(a);
  });
}

/// The sums of the weights that are wanted, after forward_of.
template <class M>
int sums_of(const SdpaArgs& a) {
  int error = 0;
  if (a.col_sum && !fits_window(a))
    error = launch_rows<Collect<M, false>>(a, Sum{a.col_sum, {false, false, true, false}, 1, 1.0F});
  if (a.avg_map && !error)
    error = launch_rows<Collect<M, false>>(
        a,
        Sum{a.avg_map, {false, true, false, false}, 1, 1 / static_cast<float>(std::max(a.H, 1))});
  return error;
}

/// Short steps where shared memory is scarce: wide floats.
template <class M, Side Rows, int W>
using BackwardOf = Backward<M, Rows, W, W == 16 && sizeof(typename M::Element) == 4 ? 2 : 4>;

template <class M>
int window_backward_of(const SdpaArgs& a) {
  int error = with_window_width<M>(
      a, [&](auto width) { return launch_window<WindowBackward<M, decltype(width)::kTiles>>(a); });
  if (a.dbias.p && !error) error = add_parts(a, window_sum(a));
  if (a.dtable.p && !error) error = add_table(a, window_sum(a));
  return error;
}

template <class M>
int backward_of(const SdpaArgs& a) {
  if (fits_window(a)) return window_backward_of<M>(a);
  int error = write_delta(a);
  if (a.dq.p && !error)
    error = with_width(a.Dk, [&](auto width) {
      return launch_rows<BackwardOf<M, Side::query, decltype(width)::kTiles>>(a);
    });
  if ((a.dk.p || a.dv.p) && !error)
    error = with_width(std::max(a.dk.p ? a.Dk : 0, a.dv.p ? a.Dv : 0), [&](auto width) {
      return launch_rows<BackwardOf<M, Side::key, decltype(width)::kTiles>>(a);
    });
  auto* const partial = static_cast<float*>(a.workspace) + Delta::count(a);
  if (a.dbias.p && !error) {
    Sum sum = sum_of(a, a.dbias);
    sum.to = is_whole(a, sum) ? static_cast<float*>(a.dbias.p) : partial;
    error = launch_rows<Collect<M, true>>(a, sum);
    if (!error && sum.to == partial) error = add_parts(a, sum);
  }
  if (a.dtable.p && !error) {
    Sum sum = table_sum(a);
    sum.to = partial;
    error = launch_rows<Collect<M, true>>(a, sum);
    if (!error) error = add_table(a, sum);
  }
  return error;
}

}  // namespace fovea::cuda
