// Calls of the attention operator, and the formula they are held against, written with tensor operations in double.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include <cstdlib>
#include <random>

#include "attention/cpu.h"
#include "attention/operators.h"
#include "attention/philox.h"

namespace fovea::attention::test {

using torch::Tensor;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Tensors begin as NaN, so that what is not written shows. One thread: most calls are too small for a team.
class Poisoned : public testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);
    at::globalContext().setDeterministicAlgorithms(true, false);
    at::globalContext().setDeterministicFillUninitializedMemory(true);
  }
  void TearDown() override {
    at::set_num_threads(threads_);
    at::globalContext().setDeterministicAlgorithms(false, false);
  }

 private:
  int threads_ = at::get_num_threads();
};

/// Calls f with each instruction set of this processor.
template <class F>
void each_isa(const F& f) {
  const char* before = std::getenv("FOVEA_CPU_ISA");
  const std::optional<std::string> kept =
      before ? std::optional<std::string>(before) : std::nullopt;
  for (const std::string& isa : cpu_isas()) {
    SCOPED_TRACE("FOVEA_CPU_ISA=" + isa);
    setenv("FOVEA_CPU_ISA", isa.c_str(), 1);
    f();
  }
  kept ? setenv("FOVEA_CPU_ISA", kept->c_str(), 1) : unsetenv("FOVEA_CPU_ISA");
}

inline Tensor normal(at::IntArrayRef sizes, uint64_t seed, double spread = 1) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::kDouble) * spread;
}

/// {seed, offset} as draw_rng makes it.
inline Tensor rng_of(int64_t seed, int64_t offset = 0) {
  return torch::tensor({seed, offset}, at::kLong);
}

/// The arguments of a call in another type. A bias stays as it is, unless the call becomes double.
inline Sdpa in_type(const Sdpa& s, at::ScalarType type) {
  Sdpa t = s;
  t.q = s.q.to(type), t.k = s.k.to(type), t.v = s.v.to(type);
  if (s.bias && type == at::kDouble) t.bias = s.bias->to(type);
  return t;
}

/// What dropout multiplies the weights by: [B,H,Nq,Nk].
inline Tensor kept(const Sdpa& s, at::ScalarType type) {
  const int64_t batch = s.q.size(0), heads = s.q.size(1), queries = s.q.size(2), keys = s.k.size(2);
  Tensor kept = at::ones({batch * heads, queries, keys}, at::kDouble);
  if (s.dropout_p == 0) return kept.view({batch, heads, queries, keys}).to(type);
  const auto* rng = s.rng->const_data_ptr<int64_t>();
  const auto dropout =
      Dropout::with(s.dropout_p, static_cast<uint64_t>(rng[0]), static_cast<uint64_t>(rng[1]));
  auto at = kept.accessor<double, 3>();
  for (int64_t bh = 0; bh < batch * heads; ++bh)
    for (int64_t i = 0; i < queries; ++i)
      for (int64_t j = 0; j < keys; ++j)
        at[bh][i][j] = dropout.keeps(bh, i, j) ? static_cast<double>(dropout.factor) : 0;
  return kept.view({batch, heads, queries, keys}).to(type);
}

/// Which keys each query sees: [B,H,Nq,Nk] bool.
inline Tensor seen(const Sdpa& s) {
  const int64_t queries = s.q.size(2), keys = s.k.size(2);
  Tensor seen = at::ones({s.q.size(0), s.q.size(1), queries, keys}, at::kBool);
  const Tensor i = at::arange(queries).unsqueeze(1), j = at::arange(keys);
  if (s.causal) seen = seen & (j <= i);
  if (s.mask) seen = seen & *s.mask;
  if (s.bias) seen = seen & (s.bias->detach() != -kInf);
  if (s.len_q) seen = seen & (i < s.len_q->to(at::kLong).view({-1, 1, 1, 1}));
  if (s.len_k) seen = seen & (j < s.len_k->to(at::kLong).view({-1, 1, 1, 1}));
  return seen;
}

inline double most(const Tensor& t) { return t.numel() ? t.abs().max().item<double>() : 0; }

struct Formula {
  Tensor out, lse, weights;
  double largest = 0;  ///< score, in magnitude
};

/// softmax(scale q k' + bias) v in the type of q, with every matrix written out. Autograd differentiates it.
inline Formula formula(const Sdpa& s) {
  const at::ScalarType type = s.q.scalar_type();
  const double scale = s.scale.value_or(1 / std::sqrt(static_cast<double>(s.q.size(3))));
  const Tensor seen = test::seen(s), any = seen.any(-1, true);
  Tensor scores = at::matmul(s.q * scale, s.k.transpose(-2, -1));
  if (s.bias) scores = scores + s.bias->masked_fill(*s.bias == -kInf, 0).to(type);
  scores = scores.masked_fill(seen.logical_not(), -kInf).masked_fill(any.logical_not(), 0);
  const Tensor weights = at::softmax(scores, -1).masked_fill(seen.logical_not(), 0);
  const Tensor lse = at::logsumexp(scores, {-1}).masked_fill(any.squeeze(-1).logical_not(), kInf);
  const double largest = most(scores.detach().masked_fill(seen.logical_not(), 0));
  return {at::matmul(weights * kept(s, type), s.v), lse, weights, largest};
}

/// A call and the gradient that comes into it.
struct Call {
  Sdpa s;
  Tensor grad_out;
};

struct Gradients {
  Tensor q, k, v, bias;
};

/// Gradients of the formula, computed in `type` from inputs as they are rounded.
inline Gradients formula_gradients(const Call& call, at::ScalarType type) {
  Sdpa s = in_type(call.s, type);
  const auto leaf = [](const Tensor& t) { return t.detach().clone().requires_grad_(); };
  s.q = leaf(s.q), s.k = leaf(s.k), s.v = leaf(s.v);
  std::vector<Tensor> leaves{s.q, s.k, s.v};
  if (s.bias) leaves.push_back(*(s.bias = leaf(s.bias->to(type))));
  const Tensor loss = (formula(s).out * call.grad_out.to(type)).sum();
  auto found = torch::autograd::grad({loss}, leaves);
  if (!s.bias) found.emplace_back();
  return {found[0], found[1], found[2], found[3]};
}

/// Root of the sum of the squared terms that a result is the sum of: what a rounding of each term may do to it, also where
/// the terms cancel (one key: the score's gradient is 0, the difference of two rounded numbers).
struct Terms {
  Tensor out, q, k, v, bias;
};

inline Terms terms(const Call& call) {
  const Sdpa s = in_type(call.s, at::kDouble);
  const double scale = std::abs(s.scale.value_or(1 / std::sqrt(static_cast<double>(s.q.size(3)))));
  const Formula found = formula(s);
  const Tensor grad = call.grad_out.to(at::kDouble), drop = kept(s, at::kDouble);
  const Tensor mean = (grad * found.out).square().sum(-1, true).sqrt();
  const Tensor to_weights = at::matmul(grad, s.v.transpose(-2, -1)).abs() * drop;
  const Tensor scores = (found.weights * (to_weights + 2 * mean)).square();
  const Tensor weights = (found.weights * drop).square();
  Terms t{at::matmul(weights, s.v.square()).sqrt(),
          scale * at::matmul(scores, s.k.square()).sqrt(),
          scale * at::matmul(scores.transpose(-2, -1), s.q.square()).sqrt(),
          at::matmul(weights.transpose(-2, -1), grad.square()).sqrt(),
          {}};
  if (!s.bias) return t;
  // The mean of a row is made of `out` as it was rounded: what is off is off in all weights of the row alike.
  Tensor means = found.weights * mean;
  if (s.bias->size(3) == 1) means = means.sum(3, true);
  const double share = call.s.q.scalar_type() == at::kBFloat16 ? 8 : 1.5;
  t.bias = scores.sum_to_size(s.bias->sizes()).sqrt() +
           share * means.square().sum_to_size(s.bias->sizes()).sqrt();
  return t;
}

/// The same numbers in another layout of memory; NaN lies in between.
enum class Layout {
  dense,
  merged_heads,
  channels_first,
  within,
  every_second,
  same_heads,
  one_number
};
constexpr int kLayouts = 7;

inline Tensor laid(const Tensor& x, Layout layout) {
  const int64_t b = x.size(0), h = x.size(1), n = x.size(2), d = x.size(3);
  const auto canary = [&](at::IntArrayRef sizes) { return at::full(sizes, kNaN, x.options()); };
  switch (layout) {
    case Layout::dense:
      return x.contiguous();
    case Layout::merged_heads:
      return x.transpose(1, 2).contiguous().transpose(1, 2);
    case Layout::channels_first:
      return x.transpose(2, 3).contiguous().transpose(2, 3);
    case Layout::within: {
      const Tensor big = canary({b + 1, h + 1, n + 2, d + 3});
      return big.slice(0, 1).slice(1, 0, h).slice(2, 1, n + 1).slice(3, 1, d + 1).copy_(x);
    }
    case Layout::every_second:
      return canary({b, h, n, 2 * d}).slice(3, 0, 2 * d, 2).copy_(x);
    case Layout::same_heads:
      return x.slice(1, 0, 1).contiguous().expand({b, h, n, d});
    case Layout::one_number:  // as the gradient of a sum is
      return x.flatten()[0].clone().expand({b, h, n, d});
  }
  return x;
}

/// Bounds of a type: relative L2 of out; gradients get twice that.
inline double tolerance(at::ScalarType type) {
  return type == at::kDouble  ? 1e-12
         : type == at::kFloat ? 1e-5
         : type == at::kHalf  ? 1.5e-3
                              : 8e-3;
}

/// found is as near to the double result as the formula in the same type is (within `factor`), and as its type allows.
inline void expect_near(const char* name, const Tensor& found, const Tensor& exact,
                        const Tensor& naive, const Tensor& terms, double factor, double bound) {
  ASSERT_EQ(found.sizes(), exact.sizes()) << name;
  const Tensor error = found.to(at::kDouble) - exact;
  const double size = exact.norm().item<double>() + terms.norm().item<double>();
  EXPECT_LE(error.norm().item<double>(), bound * size + 1e-30) << name << ", relative L2";
  EXPECT_LE(most(error), factor * most(naive.to(at::kDouble) - exact) + bound * most(terms) + 1e-5)
      << name << ", largest error";
}

/// Digits of dbias: those of the scores, if its own type has as many.
inline double bias_tolerance(at::ScalarType type, at::ScalarType of_bias) {
  const double own = of_bias == at::kDouble  ? 1e-12
                     : of_bias == at::kFloat ? 1e-6
                     : of_bias == at::kHalf  ? 1e-3
                                             : 8e-3;
  return std::max(own, type == at::kDouble ? 1e-12 : 1e-3);
}

/// Every instruction set, forward and backward, against the formula.
inline void expect_formula(const Call& call) {
  const at::ScalarType type = call.s.q.scalar_type();
  const bool bias = call.s.bias.has_value();
  const Formula exact = formula(in_type(call.s, at::kDouble)), naive = formula(call.s);
  const Gradients wanted = formula_gradients(call, at::kDouble);
  const Gradients rough = formula_gradients(call, type);
  const Terms sizes = terms(call);
  const Tensor blind = exact.lse == kInf, exact_lse = exact.lse.masked_fill(blind, 0);
  // A weight is as exact as its score, which kernels keep in fp32 (double).
  const double bound = tolerance(type) + exact.largest * (type == at::kDouble ? 1e-15 : 2e-7);
  each_isa([&] {
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(call.s);
    expect_near("out", out, exact.out, naive.out, sizes.out, 2, bound);
    EXPECT_TRUE(at::equal(lse == kInf, blind)) << "lse is +inf just where a query sees nothing";
    EXPECT_LE(most(lse.to(at::kDouble).masked_fill(blind, 0) - exact_lse),
              std::min(bound, 1e-5) * (1 + most(exact_lse)))
        << "lse";
    if (call.s.want_col_sum) {
      const Tensor sums = exact.weights.sum(2);
      EXPECT_LE(most(col_sum - sums), 1e-4 * (1 + most(sums))) << "col_sum";
    }
    if (call.s.want_avg_map) {
      EXPECT_LE(most(avg_map - exact.weights.mean(1)), 1e-4) << "avg_map";
    }
    const auto [dq, dk, dv, dbias] =
        sdpa_bwd(call.s, {call.grad_out, out, lse}, {true, true, true, bias});
    expect_near("dq", dq, wanted.q, rough.q, sizes.q, 3, 2 * bound);
    expect_near("dk", dk, wanted.k, rough.k, sizes.k, 3, 2 * bound);
    expect_near("dv", dv, wanted.v, rough.v, sizes.v, 3, 2 * bound);
    if (bias)
      expect_near("dbias", dbias, wanted.bias, rough.bias, sizes.bias, 3,
                  bias_tolerance(type, call.s.bias->scalar_type()));
  });
}

}  // namespace fovea::attention::test
