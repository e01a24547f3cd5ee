#include "attention/operators.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include "fovea/attention/attention.h"

namespace fovea::attention {
namespace {

using OptionalGenerator = std::optional<at::Generator>;

template <class Function>
auto find(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Function>();
}

OptionalTensor rng_for(double dropout_p, const Tensor& like, const OptionalGenerator& generator) {
  if (!(dropout_p > 0)) return {};
  return draw_rng(like, generator);
}

// The thin operators, made of the others.

Tensor sdpa_operator(const Tensor& q, const Tensor& k, const Tensor& v, const OptionalTensor& bias,
                     const OptionalTensor& mask, const OptionalTensor& len_q,
                     const OptionalTensor& len_k, double dropout_p, bool causal,
                     std::optional<double> scale, OptionalGenerator generator) {
  const OptionalTensor rng = rng_for(dropout_p, q, generator);
  return std::get<0>(sdpa_fwd({q, k, v, bias, mask, len_q, len_k, rng, dropout_p, causal, scale}));
}

Tensor window_sdpa_operator(const Tensor& qkv, const OptionalTensor& table, int64_t heads,
                            at::IntArrayRef window, at::IntArrayRef shift, double dropout_p,
                            std::optional<double> scale, OptionalGenerator generator) {
  const OptionalTensor rng = rng_for(dropout_p, qkv, generator);
  return std::get<0>(
      window_sdpa_fwd({qkv, table, rng, heads, window.vec(), shift.vec(), dropout_p, scale}));
}

Tensor spatial_sdpa_operator(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                             double scale, double dropout_p, OptionalGenerator generator) {
  TORCH_CHECK(heads >= 1, "fovea::spatial_sdpa: heads is ", heads, "; wanted at least 1");
  const auto by_heads = [&](const char* name, const Tensor& t) {
    TORCH_CHECK(t.dim() >= 3 && t.sym_size(1) % heads == 0, "fovea::spatial_sdpa: ", name, " ",
                t.sym_sizes(), "; wanted [batch, heads channels, space …] for ", heads, " heads");
    return t.unflatten_symint(1, {heads, t.sym_size(1) / heads}).flatten(3).transpose(2, 3);
  };
  TORCH_CHECK(k.sym_sizes().slice(2) == v.sym_sizes().slice(2), "fovea::spatial_sdpa: k ",
              k.sym_sizes(), " and v ", v.sym_sizes(), " differ in space");
  const Tensor by_q = by_heads("q", q), by_k = by_heads("k", k), by_v = by_heads("v", v);
  const Tensor out =
      sdpa_operator(by_q, by_k, by_v, {}, {}, {}, {}, dropout_p, false, scale, generator);
  std::vector<c10::SymInt> sizes = q.sym_sizes().vec();
  sizes[1] = v.sym_size(1);
  return out.transpose(2, 3).reshape_symint(sizes);
}

OptionalTensor given(const Tensor& t) { return t.defined() ? OptionalTensor(t) : std::nullopt; }

Result result(Tensors4 tensors, bool want_col_sum, bool want_avg_map) {
  auto& [out, lse, col_sum, avg_map] = tensors;
  return {out, lse, want_col_sum ? col_sum : Tensor(), want_avg_map ? avg_map : Tensor()};
}

}  // namespace

Tensor draw_rng(const Tensor& like, const OptionalGenerator& generator) {
  static const auto op = find<Tensor(const Tensor&, const OptionalGenerator&)>("fovea::draw_rng");
  return op.call(like, generator);
}

Tensors4 sdpa_fwd(const Sdpa& s) {
  static const auto op = find<decltype(sdpa_fwd_operator<nullptr>)>("fovea::sdpa_fwd");
  return op.call(s.q, s.k, s.v, s.bias, s.mask, s.len_q, s.len_k, s.rng, s.dropout_p, s.causal,
                 s.scale, s.want_col_sum, s.want_avg_map);
}

Tensors4 sdpa_bwd(const Sdpa& s, const Passed& passed, std::array<bool, 4> need) {
  static const auto op = find<decltype(sdpa_bwd_operator<nullptr>)>("fovea::sdpa_bwd");
  return op.call(passed.grad_out, s.q, s.k, s.v, passed.out, passed.lse, s.bias, s.mask, s.len_q,
                 s.len_k, s.rng, s.dropout_p, s.causal, s.scale, need);
}

Tensors4 window_sdpa_fwd(const WindowSdpa& s) {
  static const auto op =
      find<decltype(window_sdpa_fwd_operator<nullptr>)>("fovea::window_sdpa_fwd");
  return op.call(s.qkv, s.table, s.rng, s.heads, s.window, s.shift, s.dropout_p, s.scale,
                 s.want_col_sum, s.want_avg_map);
}

Tensors2 window_sdpa_bwd(const WindowSdpa& s, const Passed& passed, std::array<bool, 2> need) {
  static const auto op =
      find<decltype(window_sdpa_bwd_operator<nullptr>)>("fovea::window_sdpa_bwd");
  return op.call(passed.grad_out, s.qkv, passed.out, passed.lse, s.table, s.rng, s.heads, s.window,
                 s.shift, s.dropout_p, s.scale, need);
}

Result sdpa(const Tensor& q, const Tensor& k, const Tensor& v, const Options& options) {
  const OptionalTensor rng = rng_for(options.dropout_p, q, options.generator);
  return result(sdpa_fwd({q, k, v, given(options.bias), given(options.mask), given(options.len_q),
                          given(options.len_k), rng, options.dropout_p, options.causal,
                          options.scale, options.want_col_sum, options.want_avg_map}),
                options.want_col_sum, options.want_avg_map);
}

Result window_sdpa(const Tensor& qkv, const Tensor& table, int64_t heads,
                   const WindowOptions& options) {
  std::vector<int64_t> shift = options.shift;
  if (shift.empty()) shift.resize(options.window.size());
  const OptionalTensor rng = rng_for(options.dropout_p, qkv, options.generator);
  return result(
      window_sdpa_fwd({qkv, given(table), rng, heads, options.window, shift, options.dropout_p,
                       options.scale, options.want_col_sum, options.want_avg_map}),
      options.want_col_sum, options.want_avg_map);
}

Tensor spatial_sdpa(const Tensor& q, const Tensor& k, const Tensor& v,
                    const SpatialOptions& options) {
  return spatial_sdpa_operator(q, k, v, options.heads, options.scale, options.dropout_p,
                               options.generator);
}

bool runs_on(c10::DeviceType device) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("fovea::sdpa_fwd", "");
  return op.hasKernelForDispatchKey(
      c10::computeDispatchKey(at::kFloat, at::kStrided, c10::Device(device)));
}

TORCH_LIBRARY(fovea, m) {
  const std::vector<at::Tag> random{at::Tag::nondeterministic_seeded};
  m.def("draw_rng(Tensor like, Generator? generator=None) -> Tensor", random);
  m.def(
      "sdpa_fwd(Tensor q, Tensor k, Tensor v, Tensor? bias, Tensor? mask, Tensor? len_q, "
      "Tensor? len_k, Tensor? rng, float dropout_p, bool causal, float? scale, bool want_col_sum, "
      "bool want_avg_map) -> (Tensor out, Tensor lse, Tensor col_sum, Tensor avg_map)");
  m.def(
      "sdpa_bwd(Tensor grad_out, Tensor q, Tensor k, Tensor v, Tensor out, Tensor lse, "
      "Tensor? bias, Tensor? mask, Tensor? len_q, Tensor? len_k, Tensor? rng, float dropout_p, "
      "bool causal, float? scale, bool[4] need) "
      "-> (Tensor dq, Tensor dk, Tensor dv, Tensor dbias)");
  m.def(
      "window_sdpa_fwd(Tensor qkv, Tensor? table, Tensor? rng, int heads, int[] window, "
      "int[] shift, float dropout_p, float? scale, bool want_col_sum, bool want_avg_map) "
      "-> (Tensor out, Tensor lse, Tensor col_sum, Tensor avg_map)");
  m.def(
      "window_sdpa_bwd(Tensor grad_out, Tensor qkv, Tensor out, Tensor lse, Tensor? table, "
      "Tensor? rng, int heads, int[] window, int[] shift, float dropout_p, float? scale, "
      "bool[2] need) -> (Tensor dqkv, Tensor dtable)");
  m.def(torch::schema("sdpa(Tensor q, Tensor k, Tensor v, *, Tensor? bias=None, "
                      "Tensor? mask=None, Tensor? len_q=None, Tensor? len_k=None, "
                      "float dropout_p=0.0, bool causal=False, float? scale=None, "
                      "Generator? generator=None) -> Tensor"),
        sdpa_operator, random);
  m.def(torch::schema("window_sdpa(Tensor qkv, Tensor? table, int heads, int[] window, "
                      "int[] shift, *, float dropout_p=0.0, float? scale=None, "
                      "Generator? generator=None) -> Tensor"),
        window_sdpa_operator, random);
  m.def(torch::schema("spatial_sdpa(Tensor q, Tensor k, Tensor v, *, int heads=1, "
                      "float scale=1.0, float dropout_p=0.0, Generator? generator=None) "
                      "-> Tensor"),
        spatial_sdpa_operator, random);
}

}  // namespace fovea::attention
