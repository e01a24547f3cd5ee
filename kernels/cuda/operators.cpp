// The operators on CUDA: the device, its random numbers and its last resort around calls.h. The checks, the shapes of
// results and the log are libfovea's, which is in the process before this library is opened.
#include <ATen/Context.h>
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include "attention/path.h"
#include "cuda/calls.h"
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

void check_error(int error) { C10_CUDA_CHECK(static_cast<cudaError_t>(error)); }

Device current_device() {
  const auto* properties = at::cuda::getCurrentDeviceProperties();
  const bool tf32 =
      at::globalContext().float32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL) ==
      at::Float32Precision::TF32;
  return {10 * properties->major + properties->minor, tf32,
          at::cuda::getCurrentCUDAStream().stream(), check_error};
}

/// Why the kernels cannot take it; empty where they can.
const char* refused(const Tensor& like, int64_t channels) {
  const auto* device = at::cuda::getCurrentDeviceProperties();
  if (like.scalar_type() == at::kDouble) return "fp64";
  if (device->major < 8) return "a GPU older than sm_80";
  if (channels > 256) return "more than 256 channels a head";
  return nullptr;
}

// --- The last resort: the CPU's kernels, with the same dropout ------------------------------------------------------

OptionalTensor on_cpu(const OptionalTensor& t) { return t ? OptionalTensor(t->cpu()) : t; }

template <size_t... I, class... T>
std::tuple<T...> moved(const std::tuple<T...>& from, const std::tuple<T...>& to,
                       std::index_sequence<I...>) {
  const auto move = [](const Tensor& x, const Tensor& y) { return y.defined() ? y.copy_(x) : y; };
  return {move(std::get<I>(from), std::get<I>(to))...};
}

/// `to` filled with what `run` gives on the CPU.
template <class Results, class Run>
Results by_cpu(const char* op, const attention::CallShape& shape, at::ScalarType type,
               const char* reason, const Results& to, const Run& run) {
  TORCH_WARN_ONCE(
      "fovea: attention of ", reason,
      " has no CUDA kernel; it is computed on the CPU, which is slow and waits for the GPU");
  const Results results = moved(run(), to, std::make_index_sequence<std::tuple_size_v<Results>>());
  attention::note_path(op, shape, type, std::string("CPU kernels (") + reason + ")");
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

// --- The operators --------------------------------------------------------------------------------------------------

const char* const kNames[2][2] = {{"sdpa_fwd", "sdpa_bwd"}, {"window_sdpa_fwd", "window_sdpa_bwd"}};
const Tensor& first(const Sdpa& s) { return s.q; }
const Tensor& first(const WindowSdpa& s) { return s.qkv; }

attention::CallShape shape_of(const Sdpa& s, const Tensor&) {
  return {s.q.size(0), s.q.size(1), s.q.size(2), s.k.size(2), s.q.size(3), s.v.size(3)};
}
/// lse is [image, window, head, position].
attention::CallShape shape_of(const WindowSdpa& s, const Tensor& lse) {
  const int64_t positions = lse.size(3), width = channels(s);
  return {lse.size(0) * lse.size(1), s.heads, positions, positions, width, width};
}

// The CPU's, through the dispatcher.
Tensors4 operator_fwd(const Sdpa& s) { return sdpa_fwd(s); }
Tensors4 operator_fwd(const WindowSdpa& s) { return window_sdpa_fwd(s); }
Tensors4 operator_bwd(const Sdpa& s, const Passed& p, std::array<bool, 4> need) {
  return sdpa_bwd(s, p, need);
}
Tensors2 operator_bwd(const WindowSdpa& s, const Passed& p, std::array<bool, 2> need) {
  return window_sdpa_bwd(s, p, need);
}

template <class Arguments>
Tensors4 run_forward(const Arguments& s) {
  check(s);
  const c10::cuda::CUDAGuard guard(first(s).device());
  Tensors4 results = empty_results(s);
  if (const char* reason = refused(first(s), channels(s)))
    return by_cpu(kNames[std::is_same_v<Arguments, WindowSdpa>][0],
                  shape_of(s, std::get<1>(results)), first(s).scalar_type(), reason, results,
                  [&] { return operator_fwd(on_cpu(s)); });
  forward(s, current_device(), results);
  return results;
}

template <class Arguments, size_t N>
auto run_backward(const Arguments& s, const Passed& passed, std::array<bool, N> need) {
  check(s, passed);
  const c10::cuda::CUDAGuard guard(first(s).device());
  auto gradients = empty_gradients(s, need);
  if (const char* reason = refused(first(s), channels(s)))
    return by_cpu(kNames[std::is_same_v<Arguments, WindowSdpa>][1], shape_of(s, passed.lse),
                  first(s).scalar_type(), reason, gradients,
                  [&] { return operator_bwd(on_cpu(s), on_cpu(passed), need); });
  backward(s, passed, current_device(), gradients);
  return gradients;
}

}  // namespace

TORCH_LIBRARY_IMPL(fovea, CUDA, m) {
  m.impl("draw_rng", draw);
  attention::implement<run_forward<Sdpa>, run_backward<Sdpa, 4>, run_forward<WindowSdpa>,
                       run_backward<WindowSdpa, 2>>(m);
}

}  // namespace fovea::cuda
