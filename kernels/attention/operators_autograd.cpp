// Gradients, once, and autocast. Both only call the operators again, below their own dispatch key.
#include <ATen/autocast_mode.h>
#include <ATen/core/VariableHooksInterface.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "attention/operators.h"

namespace fovea::attention {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

OptionalTensor given(const Tensor& t) { return t.defined() ? OptionalTensor(t) : std::nullopt; }

variable_list list(const Tensors4& t) {
  return {std::get<0>(t), std::get<1>(t), std::get<2>(t), std::get<3>(t)};
}

Tensors4 tuple(const variable_list& t) { return {t[0], t[1], t[2], t[3]}; }

/// needs_input_grad(i) counts the tensors that are there: those that get a gradient come first, the optional one last.
/// `rest` is the whole call; its tensors are of no interest to autograd.
struct SdpaFunction : torch::autograd::Function<SdpaFunction> {
  static variable_list forward(AutogradContext* ctx, const Tensor& q, const Tensor& k,
                               const Tensor& v, const OptionalTensor& bias, const Sdpa& rest) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const variable_list results = list(sdpa_fwd(rest));
    const auto saved = [](const OptionalTensor& t) { return t.value_or(Tensor()); };
    ctx->save_for_backward({q, k, v, saved(bias), saved(rest.mask), saved(rest.len_q),
                            saved(rest.len_k), saved(rest.rng), results[0], results[1]});
    ctx->saved_data["dropout_p"] = rest.dropout_p;
    ctx->saved_data["causal"] = rest.causal;
    ctx->saved_data["scale"] = rest.scale;
    ctx->mark_non_differentiable({results[1], results[2], results[3]});
    ctx->set_materialize_grads(false);
    return results;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    variable_list gradients(5);  // one per argument of forward
    if (!grads[0].defined()) return gradients;
    const variable_list s = ctx->get_saved_variables();
    const Sdpa call{s[0],
                    s[1],
                    s[2],
                    given(s[3]),
                    given(s[4]),
                    given(s[5]),
                    given(s[6]),
                    given(s[7]),
                    ctx->saved_data["dropout_p"].toDouble(),
                    ctx->saved_data["causal"].toBool(),
                    ctx->saved_data["scale"].toOptional<double>()};
    const std::array<bool, 4> need{ctx->needs_input_grad(0), ctx->needs_input_grad(1),
                                   ctx->needs_input_grad(2), call.bias && ctx->needs_input_grad(3)};
    std::tie(gradients[0], gradients[1], gradients[2], gradients[3]) =
        sdpa_bwd(call, {grads[0], s[8], s[9]}, need);
    return gradients;
  }
};

struct WindowFunction : torch::autograd::Function<WindowFunction> {
  static variable_list forward(AutogradContext* ctx, const Tensor& qkv, const OptionalTensor& table,
                               const WindowSdpa& rest) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const variable_list results = list(window_sdpa_fwd(rest));
    ctx->save_for_backward(
        {qkv, table.value_or(Tensor()), rest.rng.value_or(Tensor()), results[0], results[1]});
    ctx->saved_data["heads"] = rest.heads;
    ctx->saved_data["window"] = rest.window;
    ctx->saved_data["shift"] = rest.shift;
    ctx->saved_data["dropout_p"] = rest.dropout_p;
    ctx->saved_data["scale"] = rest.scale;
    ctx->mark_non_differentiable({results[1], results[2], results[3]});
    ctx->set_materialize_grads(false);
    return results;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    variable_list gradients(3);
    if (!grads[0].defined()) return gradients;
    const variable_list s = ctx->get_saved_variables();
    const std::vector<int64_t> window = ctx->saved_data["window"].toIntVector();
    const std::vector<int64_t> shift = ctx->saved_data["shift"].toIntVector();
    const WindowSdpa call{s[0],
                          given(s[1]),
                          given(s[2]),
                          ctx->saved_data["heads"].toInt(),
                          window,
                          shift,
                          ctx->saved_data["dropout_p"].toDouble(),
                          ctx->saved_data["scale"].toOptional<double>()};
    const std::array<bool, 2> need{ctx->needs_input_grad(0),
                                   call.table && ctx->needs_input_grad(1)};
    std::tie(gradients[0], gradients[1]) = window_sdpa_bwd(call, {grads[0], s[3], s[4]}, need);
    return gradients;
  }
};

/// The backward operators under autograd: their results refuse to be differentiated. `inputs` are there for autograd to
/// see; a function cannot give undefined tensors, so `compute` gives the defined ones.
struct Once : torch::autograd::Function<Once> {
  static variable_list forward(AutogradContext*, at::TensorList,
                               const std::function<variable_list()>& compute) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    return compute();
  }
  static variable_list backward(AutogradContext*, const variable_list&) {
    TORCH_CHECK(false, "fovea::sdpa: double backward is not supported");
  }
};

/// Calls a backward operator whose gradients 0 to n - 1 are undefined where not needed.
template <size_t n, class Call>
std::array<Tensor, n> once(const variable_list& inputs, const Call& call) {
  std::array<bool, n> defined{};
  const variable_list found =
      Once::apply(at::TensorList(inputs), std::function<variable_list()>([&] {
                    variable_list some;
                    std::apply(
                        [&, i = size_t{0}](const auto&... gradient) mutable {
                          ((defined[i++] = gradient.defined(),
                            gradient.defined() ? some.push_back(gradient) : void()),
                           ...);
                        },
                        call());
                    return some;
                  }));
  std::array<Tensor, n> gradients;
  for (size_t i = 0, next = 0; i < n; ++i)
    if (defined[i]) gradients[i] = found[next++];
  return gradients;
}

Tensors4 forward(const Sdpa& s) { return tuple(SdpaFunction::apply(s.q, s.k, s.v, s.bias, s)); }

Tensors4 window_forward(const WindowSdpa& s) {
  return tuple(WindowFunction::apply(s.qkv, s.table, s));
}

Tensors4 backward(const Sdpa& s, const Passed& passed, std::array<bool, 4> need) {
  variable_list inputs{s.q, s.k, s.v, passed.grad_out, passed.out};
  if (s.bias) inputs.push_back(*s.bias);
  const auto found = once<4>(inputs, [&] { return sdpa_bwd(s, passed, need); });
  return std::tuple_cat(found);
}

Tensors2 window_backward(const WindowSdpa& s, const Passed& passed, std::array<bool, 2> need) {
  variable_list inputs{s.qkv, passed.grad_out, passed.out};
  if (s.table) inputs.push_back(*s.table);
  const auto found = once<2>(inputs, [&] { return window_sdpa_bwd(s, passed, need); });
  return std::tuple_cat(found);
}

/// Autocast: q, k, v in its type; a bias or a table stays as it is, the kernels read any.
template <c10::DeviceType device>
struct Autocast {
  static Tensor cast(const Tensor& t) {
    return at::autocast::cached_cast(at::autocast::get_autocast_dtype(device), t, device);
  }
  using Off = c10::impl::ExcludeDispatchKeyGuard;
  static c10::DispatchKeySet key() {
    return c10::DispatchKeySet(at::autocast::get_autocast_dispatch_key_from_device_type(device));
  }
  static Tensors4 forward(const Sdpa& s) {
    const Off off(key());
    Sdpa call = s;
    call.q = cast(s.q), call.k = cast(s.k), call.v = cast(s.v);
    return sdpa_fwd(call);
  }
  static Tensors4 window_forward(const WindowSdpa& s) {
    const Off off(key());
    WindowSdpa call = s;
    call.qkv = cast(s.qkv);
    return window_sdpa_fwd(call);
  }
  static void add_to(torch::Library& m) {
    m.impl("sdpa_fwd", sdpa_fwd_operator<&Autocast::forward>);
    m.impl("window_sdpa_fwd", window_sdpa_fwd_operator<&Autocast::window_forward>);
  }
};

}  // namespace

TORCH_LIBRARY_IMPL(fovea, Autograd, m) {
  m.impl("draw_rng", torch::CppFunction::makeFallthrough());  // integers have no gradient
  implement<forward, backward, window_forward, window_backward>(m);
}

TORCH_LIBRARY_IMPL(fovea, AutocastCPU, m) { Autocast<at::kCPU>::add_to(m); }
TORCH_LIBRARY_IMPL(fovea, AutocastCUDA, m) { Autocast<at::kCUDA>::add_to(m); }

}  // namespace fovea::attention
