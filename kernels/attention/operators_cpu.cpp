// The operators on a CPU: tensors become a Problem, which the kernels of cpu.h solve.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <torch/library.h>

#include <cmath>
#include <limits>

#include "attention/checks.h"
#include "attention/cpu.h"
#include "attention/path.h"
#include "attention/windows.h"

namespace fovea::attention {
namespace {

Tensor draw(const Tensor& like, const std::optional<at::Generator>& generator) {
  auto* source = at::get_generator_or_default<at::CPUGeneratorImpl>(
      generator, at::detail::getDefaultCPUGenerator());
  Tensor rng = at::empty({2}, like.options().dtype(at::kLong));
  const std::lock_guard<std::mutex> lock(source->mutex_);
  rng.mutable_data_ptr<int64_t>()[0] = static_cast<int64_t>(source->random64());
  rng.mutable_data_ptr<int64_t>()[1] = 0;
  return rng;
}

/// A result that a kernel writes; CPUs have no fp16 arithmetic, so that one is written in fp32 first.
class Written {
 public:
  explicit Written(const Tensor& result) : result_(result), work_(result) {
    if (result.defined() && result.scalar_type() == at::kHalf)
      work_ =
          at::empty_strided(result.sizes(), result.strides(), result.options().dtype(at::kFloat));
  }
  const Tensor& tensor() const { return work_; }
  void finish() const {
    if (!work_.is_same(result_)) result_.copy_(work_);
  }

 private:
  Tensor result_, work_;
};

Tensor computable(const Tensor& t) { return t.scalar_type() == at::kHalf ? t.to(at::kFloat) : t; }
Tensor sums_of(const Tensor& t, const Tensor& like) {
  return t.to(like.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
}
Tensor empty_sums(at::IntArrayRef sizes, const Tensor& like) {
  return at::empty(
      sizes, like.options().dtype(like.scalar_type() == at::kDouble ? at::kDouble : at::kFloat));
}

Elem elem_of(const Tensor& t) {
  return t.scalar_type() == at::kDouble     ? Elem::f64
         : t.scalar_type() == at::kBFloat16 ? Elem::bf16
                                            : Elem::f32;
}

/// A dimension of one repeats: its stride is 0.
View read(const Tensor& t) {
  View view{const_cast<void*>(t.const_data_ptr())};
  for (int64_t d = 0; d < 4; ++d) view.stride[d] = t.size(d) == 1 ? 0 : t.stride(d);
  return view;
}
View write(const Tensor& t) {
  if (!t.defined()) return {};
  View view = read(t);
  view.data = t.mutable_data_ptr();
  return view;
}

Dropout dropout_of(double p, const OptionalTensor& rng) {
  if (p == 0) return {};
  const int64_t* drawn = rng->const_data_ptr<int64_t>();
  return Dropout::with(p, static_cast<std::uint64_t>(drawn[0]),
                       static_cast<std::uint64_t>(drawn[1]));
}

/// A call on a CPU: the problem and the tensors that it points into.
struct Call {
  Problem problem;
  std::vector<Tensor> kept;

  View keep(const Tensor& t) { return read(kept.emplace_back(t)); }
  const int64_t* lengths(const OptionalTensor& t) {
    if (!t) return nullptr;
    return kept.emplace_back(t->to(at::kLong).contiguous()).const_data_ptr<int64_t>();
  }
  bool empty() const { return !(problem.B && problem.H && problem.Nq && problem.Nk); }
  at::ScalarType type = at::kFloat;

  void run(const char* op, const char* (*kernel)(const Problem&)) {
    const Problem& p = problem;
    const char* path = kernel(p);
    note_path(op, {p.B, p.H, p.Nq, p.Nk, p.Dk, p.Dv}, type, path);
  }
};

float* floats(const Tensor& t, bool wanted) {
  return wanted ? t.mutable_data_ptr<float>() : nullptr;
}

/// Where there is nothing to look at or nothing that looks.
Tensors4 of_nothing(Tensors4 results) {
  for (Tensor* t : {&std::get<0>(results), &std::get<2>(results), &std::get<3>(results)})
    t->zero_();
  std::get<1>(results).fill_(std::numeric_limits<double>::infinity());
  return results;
}

Call call_of(const Sdpa& s) {
  Call call;
  Problem& p = call.problem;
  p.B = s.q.size(0), p.H = s.q.size(1), p.Nq = s.q.size(2), p.Nk = s.k.size(2);
  p.Dk = s.q.size(3), p.Dv = s.v.size(3);
  p.elem = elem_of(s.q);
  call.type = s.q.scalar_type();
  p.scale = s.scale.value_or(1 / std::sqrt(static_cast<double>(p.Dk)));
  p.causal = s.causal;
  p.dropout = dropout_of(s.dropout_p, s.rng);
  if (call.empty()) return call;
  p.q = call.keep(computable(s.q));
  p.k = call.keep(computable(s.k));
  p.v = call.keep(computable(s.v));
  if (s.bias) {
    const bool as_it_is = s.bias->scalar_type() == at::kBFloat16 && p.elem != Elem::f64;
    p.bias = call.keep(as_it_is ? *s.bias : sums_of(*s.bias, s.q));
    p.bias_elem = as_it_is ? Elem::bf16 : p.elem == Elem::f64 ? Elem::f64 : Elem::f32;
  }
  if (s.mask) p.mask = call.keep(*s.mask);
  p.len_q = call.lengths(s.len_q);
  p.len_k = call.lengths(s.len_k);
  return call;
}

Tensors4 forward(const Sdpa& s) {
  check(s);
  Call call = call_of(s);
  Tensors4 results = empty_results(s);
  if (call.empty()) return of_nothing(std::move(results));
  const auto& [out, lse, col_sum, avg_map] = results;
  const Written written(out);
  Problem& p = call.problem;
  p.out = write(written.tensor());
  p.lse = lse.mutable_data_ptr();
  p.col_sum = floats(col_sum, s.want_col_sum);
  p.avg_map = floats(avg_map, s.want_avg_map);
  call.run("sdpa_fwd", cpu_fwd);
  written.finish();
  return results;
}

Tensors4 backward(const Sdpa& s, const Passed& passed, std::array<bool, 4> need) {
  check(s, passed);
  Call call = call_of(s);
  Tensors4 gradients = empty_gradients(s, need);
  const auto& [dq, dk, dv, dbias] = gradients;
  if (call.empty()) {
    for (const Tensor& t : {dq, dk, dv, dbias})
      if (t.defined()) t.zero_();
    return gradients;
  }
  const Written of_q(dq), of_k(dk), of_v(dv);
  const Tensor of_bias = dbias.defined() ? empty_sums(dbias.sizes(), s.q) : Tensor();
  Problem& p = call.problem;
  p.grad_out = call.keep(computable(passed.grad_out));
  p.out = call.keep(computable(passed.out));
  p.lse = const_cast<void*>(call.kept.emplace_back(passed.lse.contiguous()).const_data_ptr());
  p.dq = write(of_q.tensor());
  p.dk = write(of_k.tensor());
  p.dv = write(of_v.tensor());
  p.dbias = write(of_bias);
  if (need[0] || need[1] || need[2] || dbias.defined()) call.run("sdpa_bwd", cpu_bwd);
  of_q.finish(), of_k.finish(), of_v.finish();
  if (dbias.defined()) dbias.copy_(of_bias);
  return gradients;
}

/// A window operator: qkv as [image, row, channel], and the tables that its problem points into.
struct WindowCall : Call {
  WindowTables tables;
  Sizes window;
  int64_t windows = 1;

  /// Part 0 to 2 (q, k, v) of [image, row, parts x heads x D], as [image, head, row, channel].
  static View part(const Tensor& rows, int64_t heads, int64_t channels, int64_t index) {
    const int64_t step = rows.stride(2);
    const auto start = static_cast<size_t>(index * heads * channels * step) * rows.element_size();
    return {static_cast<char*>(const_cast<void*>(rows.const_data_ptr())) + start,
            {rows.stride(0), channels * step, rows.stride(1), step}};
  }
  View keep_part(const Tensor& rows) {
    return part(kept.emplace_back(rows), problem.H, problem.Dk, 0);
  }
};

Tensor rows_of(const Tensor& t) { return computable(t).flatten(1, -2); }

WindowCall call_of(const WindowSdpa& s) {
  WindowCall call;
  const Sizes grid = s.qkv.sizes().slice(1, s.qkv.dim() - 2).vec();
  call.window = s.window.empty() ? grid : s.window;
  int64_t positions = 1;
  for (size_t d = 0; d < grid.size(); ++d) {
    positions *= call.window[d];
    if (!s.window.empty()) call.windows *= (grid[d] + call.window[d] - 1) / call.window[d];
  }
  Problem& p = call.problem;
  p.B = s.qkv.size(0) * call.windows, p.H = s.heads, p.Nq = p.Nk = positions;
  p.Dk = p.Dv = s.qkv.size(-1) / (3 * s.heads);
  p.elem = elem_of(s.qkv);
  call.type = s.qkv.scalar_type();
  p.scale = s.scale.value_or(1 / std::sqrt(static_cast<double>(p.Dk)));
  p.dropout = dropout_of(s.dropout_p, s.rng);
  if (call.empty()) return call;
  if (!s.window.empty()) {
    call.tables = window_tables(grid, call.window, s.shift);
    p.windows = {call.windows, call.tables.place.data(),
                 call.tables.region.empty() ? nullptr : call.tables.region.data()};
  }
  const Tensor rows = call.kept.emplace_back(rows_of(s.qkv));
  p.q = WindowCall::part(rows, p.H, p.Dk, 0);
  p.k = WindowCall::part(rows, p.H, p.Dk, 1);
  p.v = WindowCall::part(rows, p.H, p.Dk, 2);
  if (s.table) {
    const Tensor table = sums_of(*s.table, s.qkv).contiguous();
    const Tensor bias = empty_sums({1, p.H, p.Nq, p.Nk}, s.qkv);
    const RelativePositions relative(call.window);
    if (p.elem == Elem::f64)
      spread_table(relative, p.H, table.const_data_ptr<double>(), bias.mutable_data_ptr<double>());
    else
      spread_table(relative, p.H, table.const_data_ptr<float>(), bias.mutable_data_ptr<float>());
    p.bias = call.keep(bias);
  }
  return call;
}

Tensors4 window_forward(const WindowSdpa& s) {
  check(s);
  WindowCall call = call_of(s);
  Tensors4 results = empty_results(s);
  if (call.empty()) return of_nothing(std::move(results));
  const auto& [out, lse, col_sum, avg_map] = results;
  const Written written(out);
  Problem& p = call.problem;
  p.out = call.keep_part(written.tensor().flatten(1, -2));
  p.lse = lse.mutable_data_ptr();
  p.col_sum = floats(col_sum, s.want_col_sum);
  p.avg_map = floats(avg_map, s.want_avg_map);
  call.run("window_sdpa_fwd", cpu_fwd);
  written.finish();
  return results;
}

Tensors2 window_backward(const WindowSdpa& s, const Passed& passed, std::array<bool, 2> need) {
  check(s, passed);
  WindowCall call = call_of(s);
  Tensors2 gradients = empty_gradients(s, need);
  const auto& [dqkv, dtable] = gradients;
  if (call.empty()) {
    for (const Tensor& t : {dqkv, dtable})
      if (t.defined()) t.zero_();
    return gradients;
  }
  Problem& p = call.problem;
  p.grad_out = call.keep_part(rows_of(passed.grad_out));
  p.out = call.keep_part(rows_of(passed.out));
  p.lse = const_cast<void*>(call.kept.emplace_back(passed.lse.contiguous()).const_data_ptr());
  const Written of_qkv(dqkv);
  if (dqkv.defined()) {
    const Tensor rows = of_qkv.tensor().flatten(1, -2);
    p.dq = WindowCall::part(rows, p.H, p.Dk, 0);
    p.dk = WindowCall::part(rows, p.H, p.Dk, 1);
    p.dv = WindowCall::part(rows, p.H, p.Dk, 2);
  }
  const Tensor dbias = dtable.defined() ? empty_sums({1, p.H, p.Nq, p.Nk}, s.qkv) : Tensor();
  p.dbias = write(dbias);
  if (dqkv.defined() || dtable.defined()) call.run("window_sdpa_bwd", cpu_bwd);
  of_qkv.finish();
  if (dtable.defined()) {
    const Tensor sums = empty_sums(dtable.sizes(), s.qkv);
    const RelativePositions relative(call.window);
    if (p.elem == Elem::f64)
      gather_table(relative, p.H, dbias.const_data_ptr<double>(), sums.mutable_data_ptr<double>());
    else
      gather_table(relative, p.H, dbias.const_data_ptr<float>(), sums.mutable_data_ptr<float>());
    dtable.copy_(sums);
  }
  return gradients;
}

}  // namespace

TORCH_LIBRARY_IMPL(fovea, CPU, m) {
  m.impl("draw_rng", draw);
  implement<forward, backward, window_forward, window_backward>(m);
}

}  // namespace fovea::attention
