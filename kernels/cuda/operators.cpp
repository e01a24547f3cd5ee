// The operators on CUDA: tensors become SdpaArgs, which the kernels of sdpa.h solve. The checks, the shapes of results and
// the log are libfovea's, which is in the process before this library is opened.
#include <ATen/Context.h>
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include <cmath>

#include "attention/checks.h"
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

Tensor draw(const Tensor& like, const std::optional<at::Generator>& generator) {
  const c10::cuda::CUDAGuard guard(like.device());
  auto* source = at::get_generator_or_default<at::CUDAGeneratorImpl>(
      generator, at::cuda::detail::getDefaultCUDAGenerator(like.device().index()));
  at::PhiloxCudaState state;
  {
    const std::lock_guard<std::mutex> lock(source->mutex_);
    state = source->philox_cuda_state(4);
  }
  const RngSource from =
      state.captured_ ? RngSource{0, state.offset_intragraph_, state.seed_.ptr, state.offset_.ptr}
                      : RngSource{state.seed_.val, state.offset_.val};
  Tensor rng = at::empty({2}, like.options().dtype(at::kLong));
  C10_CUDA_CHECK(static_cast<cudaError_t>(
      write_rng(from, rng.mutable_data_ptr<int64_t>(), at::cuda::getCurrentCUDAStream().stream())));
  return rng;
}

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

/// A call on a GPU: the arguments and the tensors that they point into.
struct Call {
  SdpaArgs a;
  std::vector<Tensor> kept;
  at::ScalarType type;

  Call(const Tensor& like, double dropout_p, const OptionalTensor& rng, std::optional<double> scale,
       int64_t channels)
      : type(like.scalar_type()) {
    const auto* device = at::cuda::getCurrentDeviceProperties();
    a.sm = 10 * device->major + device->minor;
    a.stream = at::cuda::getCurrentCUDAStream().stream();
    a.elem = elem_of(like);
    a.scale = static_cast<float>(scale.value_or(1 / std::sqrt(static_cast<double>(channels))));
    a.tf32 = at::globalContext().float32Precision(
                 at::Float32Backend::CUDA, at::Float32Op::MATMUL) == at::Float32Precision::TF32;
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
    C10_CUDA_CHECK(static_cast<cudaError_t>(kernel(a, &path)));
    attention::note_path(op, {a.B, a.H, a.Nq, a.Nk, a.Dk, a.Dv}, type, path);
  }
  void run_backward(const char* op) {
    const auto bytes = keep(
        at::empty({sdpa_bwd_workspace(a)}, at::TensorOptions().dtype(at::kByte).device(at::kCUDA)));
    a.workspace = bytes.mutable_data_ptr();
    run(op, sdpa_bwd);
  }
};

/// Why the kernels cannot take it; empty where they can.
const char* refused(const Tensor& like, int64_t channels) {
  const auto* device = at::cuda::getCurrentDeviceProperties();
  if (like.scalar_type() == at::kDouble) return "fp64";
  if (device->major < 8) return "a GPU older than sm_80";
  if (channels > 256) return "more than 256 channels a head";
  return nullptr;
}

// --- The last resort: the CPU's kernels, with the same dropout ------------------------------------------------------

Tensor on_cpu(const Tensor& t) { return t.defined() ? t.cpu() : t; }
OptionalTensor on_cpu(const OptionalTensor& t) { return t ? OptionalTensor(t->cpu()) : t; }

template <size_t... I, class... T>
std::tuple<T...> moved(const std::tuple<T...>& from, const std::tuple<T...>& to,
                       std::index_sequence<I...>) {
  const auto move = [](const Tensor& x, const Tensor& y) { return y.defined() ? y.copy_(x) : y; };
  return {move(std::get<I>(from), std::get<I>(to))...};
}

/// `to` filled with what `run` gives on the CPU.
template <class Results, class Run>
Results by_cpu(const char* op, const Tensor& like, const char* reason, const Results& to,
               const Run& run) {
  TORCH_WARN_ONCE(
      "fovea: attention of ", reason,
      " has no CUDA kernel; it is computed on the CPU, which is slow and waits for the GPU");
  const Results results = moved(run(), to, std::make_index_sequence<std::tuple_size_v<Results>>());
  attention::note_path(op, like.sizes(), like.scalar_type(),
                       std::string("CPU kernels (") + reason + ")");
  return results;
}

Sdpa on_cpu(Sdpa s) {
  for (Tensor* t : {&s.q, &s.k, &s.v}) *t = t->cpu();
  for (OptionalTensor* t : {&s.bias, &s.mask, &s.len_q, &s.len_k, &s.rng}) *t = on_cpu(*t);
  return s;
}
WindowSdpa on_cpu(WindowSdpa s) {
  s.qkv = s.qkv.cpu();
  s.table = on_cpu(s.table), s.rng = on_cpu(s.rng);
  return s;
}
Passed on_cpu(const Passed& p) { return {p.grad_out.cpu(), p.out.cpu(), p.lse.cpu()}; }

// --- sdpa -----------------------------------------------------------------------------------------------------------

Call call_of(const Sdpa& s) {
  Call call(s.q, s.dropout_p, s.rng, s.scale, s.q.size(3));
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

int64_t widest(const Sdpa& s) { return std::max(s.q.size(3), s.v.size(3)); }

Tensors4 forward(const Sdpa& s) {
  check(s);
  const c10::cuda::CUDAGuard guard(s.q.device());
  Tensors4 results = empty_results(s);
  if (const char* reason = refused(s.q, widest(s)))
    return by_cpu("sdpa_fwd", s.q, reason, results, [&] { return sdpa_fwd(on_cpu(s)); });
  const auto& [out, lse, col_sum, avg_map] = results;
  Call call = call_of(s);
  call.a.o = write(out);
  call.a.lse = lse.mutable_data_ptr<float>();
  call.a.col_sum = floats(col_sum, s.want_col_sum);
  call.a.avg_map = floats(avg_map, s.want_avg_map);
  call.run("sdpa_fwd", sdpa_fwd);
  return results;
}

Tensors4 backward(const Sdpa& s, const Passed& passed, std::array<bool, 4> need) {
  check(s, passed);
  const c10::cuda::CUDAGuard guard(s.q.device());
  Tensors4 gradients = empty_gradients(s, need);
  if (const char* reason = refused(s.q, widest(s)))
    return by_cpu("sdpa_bwd", s.q, reason, gradients,
                  [&] { return sdpa_bwd(on_cpu(s), on_cpu(passed), need); });
  const auto& [dq, dk, dv, dbias] = gradients;
  Call call = call_of(s);
  const Tensor of_bias = dbias.defined() ? single(dbias) : dbias;
  call.a.grad_out = read(passed.grad_out);
  call.a.o = read(passed.out);
  call.a.lse = const_cast<float*>(call.keep(passed.lse.contiguous()).const_data_ptr<float>());
  call.a.dq = write(dq), call.a.dk = write(dk), call.a.dv = write(dv);
  call.a.dbias = write(of_bias);
  call.run_backward("sdpa_bwd");
  if (!of_bias.is_same(dbias)) dbias.copy_(of_bias);
  return gradients;
}

// --- window_sdpa ----------------------------------------------------------------------------------------------------

/// Part 0 to 2 (q, k, v) of [image, row, parts x heads x channels] as [image, head, row, channel].
View4 part(const Tensor& rows, const SdpaArgs& a, int64_t index) {
  const int64_t step = rows.stride(2);
  auto* first = static_cast<char*>(const_cast<void*>(rows.const_data_ptr()));
  return {first + index * a.H * a.Dk * step * static_cast<int64_t>(rows.element_size()),
          {rows.stride(0), a.Dk * step, rows.stride(1), step}};
}
Tensor rows_of(const Tensor& t) { return t.flatten(1, -2); }

Call call_of(const WindowSdpa& s) {
  const int64_t channels = s.qkv.size(-1) / (3 * s.heads);
  Call call(s.qkv, s.dropout_p, s.rng, s.scale, channels);
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
  a.Dk = a.Dv = static_cast<int>(channels);
  const Tensor rows = call.keep(rows_of(s.qkv));
  a.q = part(rows, a, 0), a.k = part(rows, a, 1), a.v = part(rows, a, 2);
  if (s.table) {
    const Tensor table = call.keep(single(*s.table));
    a.table = {const_cast<void*>(table.const_data_ptr()), {table.stride(0), table.stride(1)}};
    a.bias_elem = elem_of(table);
  }
  return call;
}

int64_t channels_of(const WindowSdpa& s) { return s.qkv.size(-1) / (3 * s.heads); }

Tensors4 window_forward(const WindowSdpa& s) {
  check(s);
  const c10::cuda::CUDAGuard guard(s.qkv.device());
  Tensors4 results = empty_results(s);
  if (const char* reason = refused(s.qkv, channels_of(s)))
    return by_cpu("window_sdpa_fwd", s.qkv, reason, results,
                  [&] { return window_sdpa_fwd(on_cpu(s)); });
  const auto& [out, lse, col_sum, avg_map] = results;
  if (out.numel() == 0) return results;
  Call call = call_of(s);
  call.a.o = part(call.keep(rows_of(out)), call.a, 0);
  call.a.lse = lse.mutable_data_ptr<float>();
  call.a.col_sum = floats(col_sum, s.want_col_sum);
  call.a.avg_map = floats(avg_map, s.want_avg_map);
  call.run("window_sdpa_fwd", sdpa_fwd);
  return results;
}

Tensors2 window_backward(const WindowSdpa& s, const Passed& passed, std::array<bool, 2> need) {
  check(s, passed);
  const c10::cuda::CUDAGuard guard(s.qkv.device());
  Tensors2 gradients = empty_gradients(s, need);
  if (const char* reason = refused(s.qkv, channels_of(s)))
    return by_cpu("window_sdpa_bwd", s.qkv, reason, gradients,
                  [&] { return window_sdpa_bwd(on_cpu(s), on_cpu(passed), need); });
  const auto& [dqkv, dtable] = gradients;
  if (s.qkv.numel() == 0) {
    if (dtable.defined()) dtable.zero_();
    return gradients;
  }
  Call call = call_of(s);
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
  call.run_backward("window_sdpa_bwd");
  if (!of_table.is_same(dtable)) dtable.copy_(of_table);
  return gradients;
}

}  // namespace

TORCH_LIBRARY_IMPL(fovea, CUDA, m) {
  m.impl("draw_rng", draw);
  m.impl("sdpa_fwd", attention::sdpa_fwd_operator<forward>);
  m.impl("sdpa_bwd", attention::sdpa_bwd_operator<backward>);
  m.impl("window_sdpa_fwd", attention::window_sdpa_fwd_operator<window_forward>);
  m.impl("window_sdpa_bwd", attention::window_sdpa_bwd_operator<window_backward>);
}

}  // namespace fovea::cuda
