#include "cuda/call.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>

#include "attention/philox.h"
#include "cuda/device.h"

namespace fovea::cuda::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::int64_t bytes_of(Elem elem) { return elem == Elem::f32 ? 4 : 2; }

/// f(b, h, n, d) for every index.
template <class F>
void each(const Size& size, const F& f) {
  for (std::int64_t b = 0; b < size[0]; ++b)
    for (std::int64_t h = 0; h < size[1]; ++h)
      for (std::int64_t n = 0; n < size[2]; ++n)
        for (std::int64_t d = 0; d < size[3]; ++d) f(b, h, n, d);
}

void require(int error) {
  if (error != 0) throw std::runtime_error("the call failed with error " + std::to_string(error));
}

}  // namespace

Tensor4::Tensor4(Elem elem, Size size, Layout layout, std::array<bool, 4> full) : elem_(elem) {
  for (std::size_t d = 0; d < 4; ++d) size_[d] = full[d] ? size[d] : 1;
  const auto [b, h, n, c] = size_;
  switch (layout) {
    case Layout::bhnd:
      stride_ = {h * n * c, n * c, c, 1};
      break;
    case Layout::bnhd:
      stride_ = {h * n * c, c, h * c, 1};
      break;
    case Layout::bhdn:
      stride_ = {h * n * c, n * c, 1, n};
      break;
    case Layout::rows: {
      const std::int64_t row = (c + 7) / 8 * 8 + 8;
      stride_ = {h * (n + 1) * row, (n + 1) * row, row, 1};
      break;
    }
    case Layout::gaps:
      stride_ = {h * (n + 1) * (c + 3) * 2, (n + 1) * (c + 3) * 2, (c + 3) * 2, 2};
  }
  offset_ = layout == Layout::gaps ? 5 : layout == Layout::rows ? 8 : 0;
  std::int64_t elements = offset_ + 1;
  for (std::size_t d = 0; d < 4; ++d) elements += stride_[d] * (size_[d] - 1);
  for (std::size_t d = 0; d < 4; ++d)
    if (size_[d] == 1) stride_[d] = 0;
  memory_.assign(
      static_cast<std::size_t>(std::max<std::int64_t>(elements, 1) * bytes_of(elem)) + 128, 0xFF);
}

View4 Tensor4::view() const {
  if (!*this) return {};
  const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
  const std::uintptr_t aligned = (address + 63) / 64 * 64;
  View4 view{reinterpret_cast<unsigned char*>(aligned) + offset_ * bytes_of(elem_)};
  for (int d = 0; d < 4; ++d) view.s[d] = stride_[static_cast<std::size_t>(d)];
  return view;
}

std::int64_t Tensor4::index(std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d) const {
  return b * stride_[0] + h * stride_[1] + n * stride_[2] + d * stride_[3];
}

double Tensor4::at(std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d) const {
  const void* p = view().p;
  const std::int64_t i = index(b, h, n, d);
  if (elem_ == Elem::f32) return static_cast<const float*>(p)[i];
  if (elem_ == Elem::f16) return Float<f16>::load(static_cast<const f16*>(p)[i]);
  return Float<bf16>::load(static_cast<const bf16*>(p)[i]);
}

void Tensor4::set(std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d, double x) {
  void* p = view().p;
  const std::int64_t i = index(b, h, n, d);
  if (elem_ == Elem::f32) static_cast<float*>(p)[i] = static_cast<float>(x);
  if (elem_ == Elem::f16) static_cast<f16*>(p)[i] = Float<f16>::store(static_cast<float>(x));
  if (elem_ == Elem::bf16) static_cast<bf16*>(p)[i] = Float<bf16>::store(static_cast<float>(x));
}

void Tensor4::expect_untouched_gaps(const std::string& name) const {
  if (!*this) return;
  std::vector<bool> ours(memory_.size());
  const auto begin =
      static_cast<std::int64_t>(static_cast<unsigned char*>(view().p) - memory_.data());
  each(size_, [&](std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d) {
    const std::int64_t first = begin + index(b, h, n, d) * bytes_of(elem_);
    for (std::int64_t k = 0; k < bytes_of(elem_); ++k)
      ours[static_cast<std::size_t>(first + k)] = true;
  });
  for (std::size_t i = 0; i < memory_.size(); ++i)
    if (!ours[i] && memory_[i] != 0xFF)
      throw std::runtime_error(name + " is written between its elements");
}

std::string Case::name() const {
  std::string text = std::to_string(B) + "x" + std::to_string(H) + " N" + std::to_string(Nq) + "," +
                     std::to_string(Nk) + " D" + std::to_string(Dk) + "," + std::to_string(Dv);
  text += elem == Elem::f16 ? " f16" : elem == Elem::bf16 ? " bf16" : tf32 ? " tf32" : " f32";
  text += " layout" + std::to_string(static_cast<int>(layout));
  const auto dims = [](const std::array<bool, 4>& full) {
    std::string digits;
    for (const bool f : full) digits += f ? '1' : '0';
    return digits;
  };
  if (causal) text += " causal";
  if (bias) text += " bias" + dims(*bias) + (bias_elem == Elem::f32 ? "" : "/16");
  if (mask) text += " mask" + dims(*mask);
  if (!len_q.empty()) text += " len_q";
  if (!len_k.empty()) text += " len_k";
  if (dropout_p > 0) text += " dropout";
  if (hopper) text += " hopper";
  return text + " seed" + std::to_string(seed);
}

Call::Call(const Case& c) : c_(c) {
  if (c_.scale == 0) c_.scale = 1 / std::sqrt(static_cast<double>(c.Dk));
  const Size q = {c.B, c.H, c.Nq, c.Dk}, k = {c.B, c.H, c.Nk, c.Dk}, v = {c.B, c.H, c.Nk, c.Dv};
  const Size out = {c.B, c.H, c.Nq, c.Dv}, scores = {c.B, c.H, c.Nq, c.Nk};
  q_ = Tensor4(c.elem, q, c.layout);
  const std::array<bool, 4> full = {true, !c.shared_keys, true, true};
  k_ = Tensor4(c.elem, k, c.layout, full);
  v_ = Tensor4(c.elem, v, c.layout, full);
  o_ = Tensor4(c.elem, out, c.layout);
  grad_out_ = Tensor4(c.elem, out, c.layout);
  fill(q_, 2, 1);
  fill(k_, 2, 2);
  fill(v_, 1, 3);
  fill(grad_out_, 1, 4);
  a_.B = static_cast<int>(c.B), a_.H = static_cast<int>(c.H);
  a_.Nq = static_cast<int>(c.Nq), a_.Nk = static_cast<int>(c.Nk);
  a_.Dk = static_cast<int>(c.Dk), a_.Dv = static_cast<int>(c.Dv);
  a_.elem = c.elem, a_.bias_elem = c.bias_elem, a_.tf32 = c.tf32, a_.causal = c.causal;
  a_.scale = static_cast<float>(c_.scale);
  a_.sm = c.sm;
  if (c.bias) {
    bias_ = Tensor4(c.bias_elem, scores, c.layout == Layout::gaps ? Layout::gaps : Layout::bhnd,
                    *c.bias);
    fill(bias_, 1, 5);
    each(bias_.size(), [&](std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j) {
      if (c.bias_offset != 0) bias_.set(b, h, i, j, bias_.at(b, h, i, j) + c.bias_offset);
      if (c.bias_hides && (i * 7 + j * 3 + h) % 4 == 0) bias_.set(b, h, i, j, -kInf);
    });
    a_.bias = bias_.view();
  }
  if (c.mask) {
    Size size, stride;
    std::int64_t elements = 1;
    for (std::size_t d = 4; d-- > 0;) {
      size[d] = (*c.mask)[d] ? scores[d] : 1;
      stride[d] = size[d] == 1 ? 0 : elements;
      elements *= size[d];
      a_.mask.s[d] = stride[d];
    }
    std::mt19937 random(c.seed * 100 + 6);
    for (std::int64_t i = 0; i < elements; ++i) mask_.push_back(random() % 3 ? 1 : 0);
    a_.mask.p = mask_.data();
  }
  for (const std::int64_t n : c.len_q) len_q32_.push_back(static_cast<std::int32_t>(n));
  for (const std::int64_t n : c.len_k) len_k32_.push_back(static_cast<std::int32_t>(n));
  a_.len64 = c.len64;
  if (!c.len_q.empty())
    a_.len_q = c.len64 ? static_cast<const void*>(c_.len_q.data()) : len_q32_.data();
  if (!c.len_k.empty())
    a_.len_k = c.len64 ? static_cast<const void*>(c_.len_k.data()) : len_k32_.data();
  if (c.dropout_p > 0) {
    a_.rng = rng_.data();
    a_.drop_threshold = static_cast<std::uint32_t>(std::lround(c.dropout_p * 4294967296.0));
    a_.keep_inv = static_cast<float>(1 / (1 - c.dropout_p));
  }
  if (c.poison)
    for (std::int64_t b = 0; b < c.B; ++b)
      for (std::int64_t h = 0; h < c.H; ++h) {
        for (std::int64_t i = length(c.len_q, b, c.Nq); i < c.Nq; ++i) {
          for (std::int64_t d = 0; d < c.Dk; ++d) q_.set(b, h, i, d, kNaN);
          for (std::int64_t d = 0; d < c.Dv; ++d) grad_out_.set(b, h, i, d, kInf);
        }
        for (std::int64_t j = 0; j < c.Nk; ++j)
          if (hidden_key(b, h, j)) {
            for (std::int64_t d = 0; d < c.Dk; ++d) k_.set(b, h, j, d, kInf);
            for (std::int64_t d = 0; d < c.Dv; ++d) v_.set(b, h, j, d, kNaN);
          }
      }
  if (c.poison && c.causal && c.bias && (*c.bias)[2] && (*c.bias)[3])
    each(bias_.size(), [&](std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j) {
      if (j > i) bias_.set(b, h, i, j, j % 2 ? kNaN : kInf);
    });
  a_.q = q_.view(), a_.k = k_.view(), a_.v = v_.view(), a_.o = o_.view();
  a_.grad_out = grad_out_.view();
  lse_.assign(static_cast<std::size_t>(c.B * c.H * c.Nq), std::nanf(""));
  a_.lse = lse_.data();
  if (c.col_sum) col_sum_.assign(static_cast<std::size_t>(c.B * c.H * c.Nk), std::nanf(""));
  if (c.avg_map) avg_map_.assign(static_cast<std::size_t>(c.B * c.Nq * c.Nk), std::nanf(""));
  if (c.col_sum) a_.col_sum = col_sum_.data();
  if (c.avg_map) a_.avg_map = avg_map_.data();
}

void Call::fill(Tensor4& tensor, double size, std::uint32_t seed) {
  std::mt19937 random(c_.seed * 100 + seed);
  std::uniform_real_distribution<double> uniform(-size, size);
  each(tensor.size(), [&](std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d) {
    tensor.set(b, h, n, d, uniform(random));
  });
}

std::int64_t Call::length(const std::vector<std::int64_t>& lengths, std::int64_t b,
                          std::int64_t n) const {
  if (lengths.empty()) return n;
  return std::clamp<std::int64_t>(lengths[static_cast<std::size_t>(b)], 0, n);
}

bool Call::hidden_key(std::int64_t b, std::int64_t h, std::int64_t j) const {
  if (j >= length(c_.len_k, b, c_.Nk)) return true;
  if (!c_.mask || (*c_.mask)[2]) return false;
  return !mask_[static_cast<std::size_t>(b * a_.mask.s[0] + h * a_.mask.s[1] + j * a_.mask.s[3])];
}

namespace {

std::vector<double> values_of(const Tensor4& tensor) {
  std::vector<double> values;
  each(tensor.size(), [&](std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d) {
    values.push_back(tensor.at(b, h, n, d));
  });
  return values;
}

}  // namespace

int Call::run(Pass pass) {
  const char* path = "forced";
  int error = 0;
  if (!c_.hopper)
    error = (pass == Pass::forward ? sdpa_fwd : sdpa_bwd)(a_, &path);
  else if (pass == Pass::forward)
    error = c_.elem == Elem::f16 ? hopper_forward<f16>(a_) : hopper_forward<bf16>(a_);
  else if (error = write_delta(a_); error == 0)
    error = c_.elem == Elem::f16 ? hopper_backward<f16>(a_) : hopper_backward<bf16>(a_);
  path_ = path;
  return error;
}

Result Call::forward() {
  require(run(Pass::forward));
  o_.expect_untouched_gaps("out");
  Result result{.out = values_of(o_)};
  result.lse.assign(lse_.begin(), lse_.end());
  result.col_sum.assign(col_sum_.begin(), col_sum_.end());
  result.avg_map.assign(avg_map_.begin(), avg_map_.end());
  return result;
}

Result Call::backward() {
  const auto like = [&](const Tensor4& x) { return Tensor4(c_.elem, x.size(), c_.layout); };
  if (c_.need[0]) dq_ = like(q_);
  if (c_.need[1]) dk_ = like(k_);
  if (c_.need[2]) dv_ = like(v_);
  if (c_.bias && c_.need[3]) dbias_ = Tensor4(c_.bias_elem, bias_.size(), Layout::bhnd);
  a_.dq = dq_.view(), a_.dk = dk_.view(), a_.dv = dv_.view(), a_.dbias = dbias_.view();
  // Exactly as much as asked for, and NaN. The window kernels, which would take such short calls, ask for less.
  const std::int64_t bytes = c_.hopper ? 4 * c_.B * c_.H * c_.Nq : sdpa_bwd_workspace(a_);
  workspace_.assign(static_cast<std::size_t>(bytes) + 64, 0xFF);
  a_.workspace = workspace_.data();
  require(run(Pass::backward));
  for (std::size_t i = workspace_.size() - 64; i < workspace_.size(); ++i)
    if (workspace_[i] != 0xFF) throw std::runtime_error("written behind the workspace");
  for (const Tensor4* tensor : {&dq_, &dk_, &dv_, &dbias_})
    tensor->expect_untouched_gaps("gradient");
  Result result;
  if (dq_) result.dq = values_of(dq_);
  if (dk_) result.dk = values_of(dk_);
  if (dv_) result.dv = values_of(dv_);
  if (dbias_) result.dbias = values_of(dbias_);
  return result;
}

Result Call::reference(bool backward) const {
  const auto [B, H, Nq, Dk] = q_.size();
  const std::int64_t Nk = c_.Nk, Dv = c_.Dv;
  const auto room = [](std::int64_t n) { return std::vector<double>(static_cast<std::size_t>(n)); };
  Result r{.out = room(B * H * Nq * Dv),
           .lse = std::vector<double>(static_cast<std::size_t>(B * H * Nq), kInf),
           .col_sum = room(B * H * Nk),
           .avg_map = room(B * Nq * Nk),
           .dq = room(B * H * Nq * Dk),
           .dk = room(B * H * Nk * Dk),
           .dv = room(B * H * Nk * Dv)};
  const Size bias = c_.bias ? bias_.size() : Size{1, 1, 1, 1};
  r.dbias = room(bias[0] * bias[1] * bias[2] * bias[3]);
  const attention::Dropout dropout{static_cast<std::uint64_t>(rng_[0]),
                                   static_cast<std::uint64_t>(rng_[1]), a_.drop_threshold};
  const auto at = [](std::vector<double>& x, std::int64_t i) -> double& {
    return x[static_cast<std::size_t>(i)];
  };
  for (std::int64_t b = 0; b < B; ++b)
    for (std::int64_t h = 0; h < H; ++h)
      for (std::int64_t i = 0; i < length(c_.len_q, b, Nq); ++i) {
        const std::int64_t bh = b * H + h, row = bh * Nq + i;
        std::vector<double> p(static_cast<std::size_t>(Nk), -kInf), z(p.size());
        double top = -kInf, sum = 0;
        for (std::int64_t j = 0; j < Nk; ++j) {
          if (hidden_key(b, h, j) || (c_.causal && j > i)) continue;
          if (c_.mask && !mask_[static_cast<std::size_t>(b * a_.mask.s[0] + h * a_.mask.s[1] +
                                                         i * a_.mask.s[2] + j * a_.mask.s[3])])
            continue;
          double s = 0;
          for (std::int64_t d = 0; d < Dk; ++d) s += q_.at(b, h, i, d) * k_.at(b, h, j, d);
          s *= static_cast<double>(a_.scale);
          if (c_.bias) s += bias_.at(b % bias[0], h % bias[1], i % bias[2], j % bias[3]);
          at(p, j) = s;
          top = std::max(top, s);
        }
        if (top == -kInf) continue;
        for (double& s : p) sum += s = std::exp(s - top);
        at(r.lse, row) = top + std::log(sum);
        for (std::int64_t j = 0; j < Nk; ++j) {
          at(p, j) /= sum;
          at(r.col_sum, bh * Nk + j) += at(p, j);
          at(r.avg_map, (b * Nq + i) * Nk + j) += at(p, j) / static_cast<double>(H);
          at(z, j) = c_.dropout_p == 0 ? 1.0 : dropout.keeps(bh, i, j) ? 1 / (1 - c_.dropout_p) : 0;
          if (at(p, j) == 0) continue;
          for (std::int64_t d = 0; d < Dv; ++d)
            at(r.out, row * Dv + d) += at(p, j) * at(z, j) * v_.at(b, h, j, d);
        }
        if (!backward) continue;
        double delta = 0;
        for (std::int64_t d = 0; d < Dv; ++d)
          delta += at(r.out, row * Dv + d) * grad_out_.at(b, h, i, d);
        for (std::int64_t j = 0; j < Nk; ++j) {
          if (at(p, j) == 0) continue;
          double dp = 0;
          for (std::int64_t d = 0; d < Dv; ++d) {
            dp += grad_out_.at(b, h, i, d) * v_.at(b, h, j, d) * at(z, j);
            at(r.dv, (bh * Nk + j) * Dv + d) += at(p, j) * at(z, j) * grad_out_.at(b, h, i, d);
          }
          const double ds = at(p, j) * (dp - delta);
          at(r.dbias, ((b % bias[0] * bias[1] + h % bias[1]) * bias[2] + i % bias[2]) * bias[3] +
                          j % bias[3]) += ds;
          for (std::int64_t d = 0; d < Dk; ++d) {
            at(r.dq, row * Dk + d) += c_.scale * ds * k_.at(b, h, j, d);
            at(r.dk, (bh * Nk + j) * Dk + d) += c_.scale * ds * q_.at(b, h, i, d);
          }
        }
      }
  return r;
}

double distance(const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() != y.size()) return kInf;
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i]) {
      size += std::isfinite(y[i]) ? y[i] * y[i] : 0;
      continue;
    }
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) return kInf;
    apart += (x[i] - y[i]) * (x[i] - y[i]);
    size += y[i] * y[i];
  }
  return size > 0 ? std::sqrt(apart / size) : std::sqrt(apart);
}

void expect_same_in_every_order(const Case& c, std::uint32_t orders) {
  std::vector<std::vector<double>> first;
  for (std::uint32_t order = 0; order < orders; ++order) {
    emulate::set_order(order);
    Call call(c);
    const Result f = call.forward(), b = call.backward();
    const std::vector<std::vector<double>> got = {f.out, f.lse, f.col_sum, f.avg_map,
                                                  b.dq,  b.dk,  b.dv,      b.dbias};
    if (first.empty()) first = got;
    EXPECT_EQ(got, first) << "order " << order;
  }
  emulate::set_order(0);
}

}  // namespace fovea::cuda::test
