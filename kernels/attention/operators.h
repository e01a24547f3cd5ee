// The registered operators as functions of one struct of arguments. A device's kernels are such functions too, wrapped
// for registration by sdpa_fwd_operator and its three siblings, so that the long lists of arguments are written once.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <optional>
#include <tuple>
#include <vector>

namespace fovea::attention {

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;
using Tensors2 = std::tuple<Tensor, Tensor>;
using Tensors4 = std::tuple<Tensor, Tensor, Tensor, Tensor>;

struct Sdpa {
  Tensor q, k, v;
  OptionalTensor bias, mask, len_q, len_k, rng;
  double dropout_p = 0;
  bool causal = false;
  std::optional<double> scale;
  bool want_col_sum = false, want_avg_map = false;
};

struct WindowSdpa {
  Tensor qkv;
  OptionalTensor table, rng;
  int64_t heads = 1;
  std::vector<int64_t> window, shift;
  double dropout_p = 0;
  std::optional<double> scale;
  bool want_col_sum = false, want_avg_map = false;
};

/// What a backward pass gets besides the arguments of its forward pass.
struct Passed {
  Tensor grad_out, out, lse;
};

// The operators, through the dispatcher.
Tensor draw_rng(const Tensor& like, const std::optional<at::Generator>& generator);
Tensors4 sdpa_fwd(const Sdpa& s);  ///< out, lse, col_sum, avg_map
Tensors4 sdpa_bwd(const Sdpa& s, const Passed& passed, std::array<bool, 4> need);
Tensors4 window_sdpa_fwd(const WindowSdpa& s);
Tensors2 window_sdpa_bwd(const WindowSdpa& s, const Passed& passed, std::array<bool, 2> need);

template <auto kernel>
Tensors4 sdpa_fwd_operator(const Tensor& q, const Tensor& k, const Tensor& v,
                           const OptionalTensor& bias, const OptionalTensor& mask,
                           const OptionalTensor& len_q, const OptionalTensor& len_k,
                           const OptionalTensor& rng, double dropout_p, bool causal,
                           std::optional<double> scale, bool want_col_sum, bool want_avg_map) {
  return kernel(Sdpa{q, k, v, bias, mask, len_q, len_k, rng, dropout_p, causal, scale, want_col_sum,
                     want_avg_map});
}

template <auto kernel>
Tensors4 sdpa_bwd_operator(const Tensor& grad_out, const Tensor& q, const Tensor& k,
                           const Tensor& v, const Tensor& out, const Tensor& lse,
                           const OptionalTensor& bias, const OptionalTensor& mask,
                           const OptionalTensor& len_q, const OptionalTensor& len_k,
                           const OptionalTensor& rng, double dropout_p, bool causal,
                           std::optional<double> scale, std::array<bool, 4> need) {
  return kernel(Sdpa{q, k, v, bias, mask, len_q, len_k, rng, dropout_p, causal, scale},
                Passed{grad_out, out, lse}, need);
}

template <auto kernel>
Tensors4 window_sdpa_fwd_operator(const Tensor& qkv, const OptionalTensor& table,
                                  const OptionalTensor& rng, int64_t heads, at::IntArrayRef window,
                                  at::IntArrayRef shift, double dropout_p,
                                  std::optional<double> scale, bool want_col_sum,
                                  bool want_avg_map) {
  return kernel(WindowSdpa{qkv, table, rng, heads, window.vec(), shift.vec(), dropout_p, scale,
                           want_col_sum, want_avg_map});
}

template <auto kernel>
Tensors2 window_sdpa_bwd_operator(const Tensor& grad_out, const Tensor& qkv, const Tensor& out,
                                  const Tensor& lse, const OptionalTensor& table,
                                  const OptionalTensor& rng, int64_t heads, at::IntArrayRef window,
                                  at::IntArrayRef shift, double dropout_p,
                                  std::optional<double> scale, std::array<bool, 2> need) {
  return kernel(WindowSdpa{qkv, table, rng, heads, window.vec(), shift.vec(), dropout_p, scale},
                Passed{grad_out, out, lse}, need);
}

/// Registers the kernels of one dispatch key, functions of the structs above: TORCH_LIBRARY_IMPL(fovea, KEY, m).
template <auto forward, auto backward, auto window_forward, auto window_backward, class Library>
void implement(Library& m) {
  m.impl("sdpa_fwd", sdpa_fwd_operator<forward>);
  m.impl("sdpa_bwd", sdpa_bwd_operator<backward>);
  m.impl("window_sdpa_fwd", window_sdpa_fwd_operator<window_forward>);
  m.impl("window_sdpa_bwd", window_sdpa_bwd_operator<window_backward>);
}

}  // namespace fovea::attention
