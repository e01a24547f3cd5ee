#include "cuda/calls.h"

#include <ATen/ops/empty.h>

#include <cmath>

#include "attention/path.h"
#include "attention/philox.h"
#include "cuda/sdpa.h"

namespace fovea::cuda {
namespace {

using at::Tensor;
using attention::OptionalTensor;
using attention::Passed;
using attention::Sdpa;
using attention::Tensors2;
using attention::Tensors4;
using attention::WindowSdpa;

Elem elem_of(const Tensor& t) {
  return t.scalar_type() == at::kHalf       ? Elem::f16
         : t.scalar_type() == at::kBFloat16 ? Elem::bf16
                                            : Elem::f32;
}

/// A dimension of one repeats: its stride is 0.
View4 read(const Tensor& t) {
  View4 view{const_cast<void*>(t.const_data_ptr())};
  for (int64_t d = 0; d < 4; ++d) view.s[d] = t.size(d) == 1 ? 0 : t.stride(d);
  return view;
}
View4 write(const Tensor& t) {
  if (!t.defined()) return {};
  View4 view = read(t);
  view.p = t.mutable_data_ptr();
  return view;
}
float* floats(const Tensor& t, bool wanted) {
  return wanted ? t.mutable_data_ptr<float>() : nullptr;
}
Tensor single(const Tensor& t) { return t.scalar_type() == at::kDouble ? t.to(at::kFloat) : t; }

/// A call: the arguments and the tensors that they point into.
struct Call {
  SdpaArgs a;
  std::vector<Tensor> kept;
  at::ScalarType type;
  Device on;

  Call(const Tensor& like, const Device& device, double dropout_p, const OptionalTensor& rng,
       std::optional<double> scale, int64_t channels)
      : type(like.scalar_type()), on(device) {
    a.sm = device.sm;
    a.tf32 = device.tf32;
    a.stream = device.stream;
    a.elem = elem_of(like);
    a.scale = static_cast<float>(scale.value_or(1 / std::sqrt(static_cast<double>(channels))));
    if (dropout_p == 0) return;
    const auto dropout = attention::Dropout::with(dropout_p, 0, 0);
    a.drop_threshold = dropout.threshold;
    a.keep_inv = dropout.factor;
    a.rng = rng->const_data_ptr<int64_t>();
  }

  Tensor keep(const Tensor& t) { return kept.emplace_back(t); }
  const void* lengths(const OptionalTensor& t) {
    return t ? keep(t->to(at::kLong).contiguous()).const_data_ptr() : nullptr;
  }
  void run(const char* op, int (*kernel)(const SdpaArgs&, const char**) noexcept) {
    const char* path = "nothing to do";
    on.check(kernel(a, &path));
    attention::note_path(op, {a.B, a.H, a.Nq, a.Nk, a.Dk, a.Dv}, type, path);
  }
  void run_backward(const char* op, const Tensor& like) {
    const Tensor bytes = keep(at::empty({sdpa_bwd_workspace(a)}, like.options().dtype(at::kByte)));
    a.workspace = bytes.mutable_data_ptr();
    run(op, sdpa_bwd);
  }
};

}  // namespace

int64_t channels(const Sdpa& s) { return std::max(s.q.size(3), s.v.size(3)); }
int64_t channels(const WindowSdpa& s) { return s.qkv.size(-1) / (3 * s.heads); }

// --- sdpa -----------------------------------------------------------------------------------------------------------

namespace {

Call call_of(const Sdpa& s, const Device& device) {
  Call call(s.q, device, s.dropout_p, s.rng, s.scale, s.q.size(3));
  SdpaArgs& a = call.a;
  a.B = static_cast<int>(s.q.size(0)), a.H = static_cast<int>(s.q.size(1));
  a.Nq = static_cast<int>(s.q.size(2)), a.Nk = static_cast<int>(s.k.size(2));
  a.Dk = static_cast<int>(s.q.size(3)), a.Dv = static_cast<int>(s.v.size(3));
  a.causal = s.causal;
  a.q = read(s.q), a.k = read(s.k), a.v = read(s.v);
  if (s.bias) {
    const Tensor bias = call.keep(single(*s.bias));
    a.bias = read(bias);
    a.bias_elem = elem_of(bias);
  }
  if (s.mask) a.mask = read(*s.mask);
  a.len_q = call.lengths(s.len_q);
  a.len_k = call.lengths(s.len_k);
  a.len64 = true;
  return call;
}

}  // namespace

void forward(const Sdpa& s, const Device& device, const Tensors4& results) {
  const auto& [out, lse, col_sum, avg_map] = results;
  Call call = call_of(s, device);
  call.a.o = write(out);
  call.a.lse = lse.mutable_data_ptr<float>();
  call.a.col_sum = floats(col_sum, s.want_col_sum);
  call.a.avg_map = floats(avg_map, s.want_avg_map);
  call.run("sdpa_fwd", sdpa_fwd);
}

void backward(const Sdpa& s, const Passed& passed, const Device& device,
              const Tensors4& gradients) {
  const auto& [dq, dk, dv, dbias] = gradients;
  Call call = call_of(s, device);
  const Tensor of_bias = dbias.defined() ? single(dbias) : dbias;
  call.a.grad_out = read(passed.grad_out);
  call.a.o = read(passed.out);
  call.a.lse = const_cast<float*>(call.keep(passed.lse.contiguous()).const_data_ptr<float>());
  call.a.dq = write(dq), call.a.dk = write(dk), call.a.dv = write(dv);
  call.a.dbias = write(of_bias);
  call.run_backward("sdpa_bwd", s.q);
  if (!of_bias.is_same(dbias)) dbias.copy_(of_bias);
}

// --- window_sdpa ----------------------------------------------------------------------------------------------------

namespace {

/// Part 0 to 2 (q, k, v) of [image, row, parts x heads x channels] as [image, head, row, channel].
View4 part(const Tensor& rows, const SdpaArgs& a, int64_t index) {
  const int64_t step = rows.stride(2);
  auto* first = static_cast<char*>(const_cast<void*>(rows.const_data_ptr()));
  return {first + index * a.H * a.Dk * step * static_cast<int64_t>(rows.element_size()),
          {rows.stride(0), a.Dk * step, rows.stride(1), step}};
}
Tensor rows_of(const Tensor& t) { return t.flatten(1, -2); }

Call call_of(const WindowSdpa& s, const Device& device) {
  Call call(s.qkv, device, s.dropout_p, s.rng, s.scale, channels(s));
  SdpaArgs& a = call.a;
  Windows& w = a.windows;
  const int64_t dims = s.qkv.dim() - 2;
  w.count = 1;
  int positions = 1;
  for (int64_t d = 0; d < dims; ++d) {  // the last dimensions of Windows
    const int64_t at = 3 - dims + d;
    const auto entry = static_cast<size_t>(d);
    w.size[at] = static_cast<int>(s.qkv.size(d + 1));
    w.window[at] = s.window.empty() ? w.size[at] : static_cast<int>(s.window[entry]);
    w.shift[at] = s.window.empty() ? 0 : static_cast<int>(s.shift[entry]);
    w.blocks[at] = s.window.empty() ? 1 : (w.size[at] + w.window[at] - 1) / w.window[at];
    w.count *= w.blocks[at];
    positions *= w.window[at];
  }
  a.B = static_cast<int>(s.qkv.size(0)) * w.count, a.H = static_cast<int>(s.heads);
  a.Nq = a.Nk = positions;
  a.Dk = a.Dv = static_cast<int>(channels(s));
  const Tensor rows = call.keep(rows_of(s.qkv));
  a.q = part(rows, a, 0), a.k = part(rows, a, 1), a.v = part(rows, a, 2);
  if (s.table) {
    const Tensor table = call.keep(single(*s.table));
    a.table = {const_cast<void*>(table.const_data_ptr()), {table.stride(0), table.stride(1)}};
    a.bias_elem = elem_of(table);
  }
  return call;
}

}  // namespace

void forward(const WindowSdpa& s, const Device& device, const Tensors4& results) {
  const auto& [out, lse, col_sum, avg_map] = results;
  if (out.numel() == 0) return;
  Call call = call_of(s, device);
  call.a.o = part(call.keep(rows_of(out)), call.a, 0);
  call.a.lse = lse.mutable_data_ptr<float>();
  call.a.col_sum = floats(col_sum, s.want_col_sum);
  call.a.avg_map = floats(avg_map, s.want_avg_map);
  call.run("window_sdpa_fwd", sdpa_fwd);
}

void backward(const WindowSdpa& s, const Passed& passed, const Device& device,
              const Tensors2& gradients) {
  const auto& [dqkv, dtable] = gradients;
  if (s.qkv.numel() == 0) {
    if (dtable.defined()) dtable.zero_();
    return;
  }
  Call call = call_of(s, device);
  SdpaArgs& a = call.a;
  a.grad_out = part(call.keep(rows_of(passed.grad_out)), a, 0);
  a.o = part(call.keep(rows_of(passed.out)), a, 0);
  a.lse = const_cast<float*>(call.keep(passed.lse.contiguous()).const_data_ptr<float>());
  if (dqkv.defined()) {
    const Tensor rows = call.keep(rows_of(dqkv));
    a.dq = part(rows, a, 0), a.dk = part(rows, a, 1), a.dv = part(rows, a, 2);
  }
  const Tensor of_table = dtable.defined() ? single(dtable) : dtable;
  if (of_table.defined())
    a.dtable = {of_table.mutable_data_ptr(), {of_table.stride(0), of_table.stride(1)}};
  call.run_backward("window_sdpa_bwd", s.qkv);
  if (!of_table.is_same(dtable)) dtable.copy_(of_table);
}

}  // namespace fovea::cuda
