// The attention operators on a GPU: against the formula in double, the CPU's operators, and themselves.
#include <ATen/autocast_mode.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <filesystem>
#include <functional>

#include "attention/draws.h"
#include "fovea/attention/attention.h"
#include "gpu/gpu.h"

namespace fovea::attention::test {
namespace {

using testing::HasSubstr;

const torch::Device kGpu(torch::kCUDA, 0);

using GpuAttention = fovea::test::WithGpu;

OptionalTensor on_gpu(const OptionalTensor& t) {
  return t ? OptionalTensor(t->to(kGpu)) : std::nullopt;
}

/// The same strides, which Tensor::to keeps only where nothing lies in between.
Tensor on_gpu(const Tensor& t) {
  int64_t elements = 1;
  for (int64_t d = 0; d < t.dim(); ++d) elements += (t.size(d) - 1) * t.stride(d);
  if (t.numel() == 0) return t.to(kGpu);
  const Tensor flat = at::as_strided(t, {elements}, {1});
  return flat.to(kGpu).as_strided(t.sizes(), t.strides(), 0);
}

Sdpa on_gpu(Sdpa s) {
  for (Tensor* t : {&s.q, &s.k, &s.v}) *t = on_gpu(*t);
  for (OptionalTensor* t : {&s.bias, &s.mask, &s.len_q, &s.len_k, &s.rng}) *t = on_gpu(*t);
  return s;
}

void expect_formula_on_gpu(const Call& call, bool tf32 = false) {
  const at::ScalarType type = call.s.q.scalar_type();
  const bool bias = call.s.bias.has_value();
  const Formula exact = formula(in_type(call.s, at::kDouble)), naive = formula(call.s);
  const Gradients wanted = formula_gradients(call, at::kDouble);
  const Gradients rough = formula_gradients(call, type);
  const Terms sizes = terms(call);
  const Tensor blind = exact.lse == kInf, exact_lse = exact.lse.masked_fill(blind, 0);
  const double bound = tf32 ? 1e-3 : tolerance(type);
  const Sdpa s = on_gpu(call.s);
  const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
  EXPECT_THAT(last_path(), HasSubstr(type == at::kDouble ? "CPU kernels" : "sm"));
  expect_near("out", out.cpu(), exact.out, naive.out, sizes.out, 2, bound);
  EXPECT_TRUE(at::equal(lse.cpu() == kInf, blind)) << "lse is +inf just where nothing is seen";
  EXPECT_LE(most(lse.cpu().to(at::kDouble).masked_fill(blind, 0) - exact_lse),
            (tf32 ? 1e-3 : 1e-5) * (1 + most(exact_lse)))
      << "lse";
  if (s.want_col_sum) {
    const Tensor sums = exact.weights.sum(2);
    EXPECT_LE(most(col_sum.cpu() - sums), (tf32 ? 1e-2 : 1e-4) * (1 + most(sums))) << "col_sum";
  }
  if (s.want_avg_map) {
    EXPECT_LE(most(avg_map.cpu() - exact.weights.mean(1)), tf32 ? 1e-2 : 1e-4) << "avg_map";
  }
  const auto [dq, dk, dv, dbias] =
      sdpa_bwd(s, {on_gpu(call.grad_out), out, lse}, {true, true, true, bias});
  expect_near("dq", dq.cpu(), wanted.q, rough.q, sizes.q, 3, 2 * bound);
  expect_near("dk", dk.cpu(), wanted.k, rough.k, sizes.k, 3, 2 * bound);
  expect_near("dv", dv.cpu(), wanted.v, rough.v, sizes.v, 3, 2 * bound);
  // The row sums of the gradient come from `out` as it was rounded; an error of a row is that of all its keys.
  if (bias)
    expect_near("dbias", dbias.cpu(), wanted.bias, rough.bias, sizes.bias, 3,
                std::max(bias_tolerance(type, call.s.bias->scalar_type()), bound / 2));
}

Call plain(at::IntArrayRef heads, int64_t nq, int64_t nk, int64_t dk, int64_t dv,
           at::ScalarType type, uint64_t seed = 1) {
  const int64_t b = heads[0], h = heads[1];
  Call call;
  call.s.q = normal({b, h, nq, dk}, seed).to(type);
  call.s.k = normal({b, h, nk, dk}, seed + 1).to(type);
  call.s.v = normal({b, h, nk, dv}, seed + 2).to(type);
  call.grad_out = normal({b, h, nq, dv}, seed + 3).to(type);
  return call;
}

constexpr std::array kTypes = {at::kHalf, at::kBFloat16, at::kFloat};

TEST_F(GpuAttention, IsTheFormulaForEveryLength) {
  for (const at::ScalarType type : kTypes)
    for (const int64_t n : {1,   2,   7,   15,  16,  17,  31,  33,  49,  63,  64,  65, 113,
                            127, 128, 129, 196, 197, 203, 216, 217, 343, 511, 513, 784}) {
      SCOPED_TRACE(testing::Message() << type << " N " << n);
      expect_formula_on_gpu(plain({1, 2}, n, n, 32, 32, type));
    }
}

TEST_F(GpuAttention, IsTheFormulaForEveryHeadDimension) {
  for (const at::ScalarType type : kTypes)
    for (int64_t d = 8; d <= 256; d += d < 128 ? 8 : 64) {
      SCOPED_TRACE(testing::Message() << type << " D " << d);
      expect_formula_on_gpu(plain({2, 1}, 40, 70, d, d, type));
      expect_formula_on_gpu(plain({1, 2}, 70, 40, d, 264 - d, type));
    }
}

TEST_F(GpuAttention, LongSequencesAreTheFormulaOnHopper) {
  expect_formula_on_gpu(plain({1, 1}, 768, 768, 64, 64, at::kBFloat16));
  if (last_path() == "sm80 mma bf16") GTEST_SKIP() << "needs sm_90";
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16})
    for (const int64_t d : {24, 64, 96, 128})
      for (const bool causal : {false, true})
        for (const bool cut : {false, true}) {
          SCOPED_TRACE(testing::Message() << type << " D " << d << (causal ? " causal" : "")
                                          << (cut ? " lengths, dropout" : ""));
          Call call = plain({2, 3}, 1000, 833, d, d == 96 ? 64 : d, type);
          call.s.causal = causal;
          if (cut) {
            call.s.len_q = torch::tensor({900, 1000}, at::kInt);
            call.s.len_k = torch::tensor({833, 130}, at::kInt);
            call.s.dropout_p = 0.2, call.s.rng = rng_of(5, 8);
          }
          expect_formula_on_gpu(call);
          EXPECT_THAT(last_path(), HasSubstr("sm90 wgmma"));
        }
}

TEST_F(GpuAttention, LongSequencesRepeatBitByBitAndMayHoldNaNBehindTheirLengths) {
  Call call = plain({2, 4}, 1000, 1100, 128, 128, at::kBFloat16);
  call.s.causal = true;
  call.s.len_q = torch::tensor({900, 1000}, at::kInt);
  call.s.len_k = torch::tensor({1100, 777}, at::kInt);
  const auto gradients = [&] {
    const Sdpa s = on_gpu(call.s);
    const Tensor grad_out = on_gpu(call.grad_out);
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
    const auto [dq, dk, dv, none] = sdpa_bwd(s, {grad_out, out, lse}, {true, true, true, false});
    return std::array{out, dq, dk, dv};
  };
  const auto first = gradients();
  for (const int64_t b : {0, 1}) {
    for (Tensor* t : {&call.s.q, &call.grad_out})
      t->select(0, b).slice(1, call.s.len_q->select(0, b).item<int64_t>()).fill_(kNaN);
    for (Tensor* t : {&call.s.k, &call.s.v})
      t->select(0, b).slice(1, call.s.len_k->select(0, b).item<int64_t>()).fill_(kInf);
  }
  for (int repeat = 0; repeat < 30; ++repeat) {
    const auto got = gradients();
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_TRUE(at::equal(got[i], first[i])) << "repeat " << repeat << ", result " << i;
  }
}

TEST_F(GpuAttention, TakesOneProductOfTf32WhereItIsAllowed) {
  at::globalContext().setAllowTF32CuBLAS(true);
  expect_formula_on_gpu(plain({1, 2}, 100, 100, 64, 64, at::kFloat), true);
  EXPECT_THAT(last_path(), testing::EndsWith(" tf32"));
  at::globalContext().setAllowTF32CuBLAS(false);
  expect_formula_on_gpu(plain({1, 2}, 100, 100, 64, 64, at::kFloat));
  EXPECT_THAT(last_path(), HasSubstr("3xtf32"));
}

TEST_F(GpuAttention, IsTheFormulaForRandomCalls) {
  const uint64_t seed = 20261;
  Draws draws(seed);
  for (int i = 0; i < 200; ++i) {
    const Call call = draws.next();
    SCOPED_TRACE("seed " + std::to_string(seed) + ", draw " + std::to_string(i) + ": " +
                 describe(call));
    expect_formula_on_gpu(call);
  }
}

TEST_F(GpuAttention, TakesMoreHeadsThanAGridHasRows) {
  expect_formula_on_gpu(plain({16500, 4}, 2, 3, 8, 8, at::kBFloat16));
  expect_formula_on_gpu(plain({1, 66000}, 2, 2, 8, 8, at::kFloat));
}

TEST_F(GpuAttention, WhatMustNotMatterMayBeNaN) {
  Call call = plain({2, 2}, 70, 70, 16, 16, at::kBFloat16);
  call.s.len_q = torch::tensor({20, 70}, at::kInt);
  call.s.len_k = torch::tensor({64, 33}, at::kInt);
  const auto gradients = [&](const Sdpa& s, const Tensor& grad_out) {
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
    return sdpa_bwd(s, {grad_out, out, lse}, {true, true, true, false});
  };
  const auto [dq, dk, dv, none] = gradients(on_gpu(call.s), on_gpu(call.grad_out));
  for (const int64_t b : {0, 1}) {
    for (Tensor* t : {&call.s.q, &call.grad_out})
      t->select(0, b).slice(1, call.s.len_q->select(0, b).item<int64_t>()).fill_(kNaN);
    for (Tensor* t : {&call.s.k, &call.s.v})
      t->select(0, b).slice(1, call.s.len_k->select(0, b).item<int64_t>()).fill_(kInf);
  }
  const auto [pq, pk, pv, nothing] = gradients(on_gpu(call.s), on_gpu(call.grad_out));
  EXPECT_TRUE(at::equal(dq, pq));
  EXPECT_TRUE(at::equal(dk, pk));
  EXPECT_TRUE(at::equal(dv, pv));
}

TEST_F(GpuAttention, WindowsAreThoseOfTheCpu) {
  struct Layer {
    std::vector<int64_t> grid, window, shift;
    double p;
  };
  const std::vector<Layer> layers = {{{14, 14}, {7, 7}, {3, 3}, 0.1},
                                     {{13}, {4}, {2}, 0},
                                     {{6, 5, 9}, {3, 2, 4}, {1, 1, 2}, 0.2},
                                     {{8, 8, 8}, {7, 7, 7}, {3, 3, 3}, 0},
                                     {{6, 7}, {}, {}, 0}};
  for (const at::ScalarType type : kTypes)
    for (const Layer& layer : layers) {
      SCOPED_TRACE(testing::Message() << type << " grid " << at::IntArrayRef(layer.grid));
      std::vector<int64_t> sizes{2};
      sizes.insert(sizes.end(), layer.grid.begin(), layer.grid.end());
      sizes.push_back(3 * 2 * 16);
      WindowSdpa s;
      s.qkv = normal(sizes, 5).to(type);
      s.heads = 2, s.window = layer.window, s.shift = layer.shift, s.dropout_p = layer.p;
      s.want_col_sum = s.want_avg_map = true;
      int64_t rows = 1, positions = 1;
      for (const int64_t w : layer.window.empty() ? layer.grid : layer.window)
        rows *= 2 * w - 1, positions *= w;
      s.table = normal({rows, 2}, 6).to(at::kFloat);
      if (layer.p > 0) s.rng = rng_of(11, 4);
      WindowSdpa g = s;
      g.qkv = s.qkv.to(kGpu), g.table = on_gpu(s.table), g.rng = on_gpu(s.rng);
      const auto wanted = window_sdpa_fwd(s), found = window_sdpa_fwd(g);
      EXPECT_THAT(last_path(), HasSubstr(positions <= 64 ? "sm80 window" : "sm80 mma"));
      const double bound = 4 * tolerance(type);
      const auto near = [&](const char* name, const Tensor& x, const Tensor& y) {
        const Tensor a = x.cpu().to(at::kDouble), b = y.to(at::kDouble);
        EXPECT_TRUE(at::equal(a == kInf, b == kInf)) << name;
        const Tensor left = a.masked_fill(a == kInf, 0), right = b.masked_fill(b == kInf, 0);
        EXPECT_LE((left - right).norm().item<double>(), bound * right.norm().item<double>())
            << name;
      };
      near("out", std::get<0>(found), std::get<0>(wanted));
      near("lse", std::get<1>(found), std::get<1>(wanted));
      near("col_sum", std::get<2>(found), std::get<2>(wanted));
      near("avg_map", std::get<3>(found), std::get<3>(wanted));
      const Tensor grad_out = normal(std::get<0>(wanted).sizes(), 7).to(type);
      const auto back =
          window_sdpa_bwd(s, {grad_out, std::get<0>(wanted), std::get<1>(wanted)}, {true, true});
      const auto forth = window_sdpa_bwd(
          g, {grad_out.to(kGpu), std::get<0>(found), std::get<1>(found)}, {true, true});
      near("dqkv", std::get<0>(forth), std::get<0>(back));
      near("dtable", std::get<1>(forth), std::get<1>(back));
    }
}

TEST_F(GpuAttention, ChannelsFirstComesBackChannelsFirst) {
  const Tensor q = normal({2, 16, 9, 7}, 1), k = normal({2, 16, 5, 5}, 2),
               v = normal({2, 48, 5, 5}, 3);
  const auto gpu = [](const Tensor& t) { return t.to(at::kFloat).to(kGpu); };
  const Tensor out = spatial_sdpa(gpu(q), gpu(k), gpu(v), {.heads = 2});
  EXPECT_TRUE(out.is_contiguous());
  EXPECT_LE(most(out.cpu() - spatial_sdpa(q, k, v, {.heads = 2})), 1e-4);
}

TEST_F(GpuAttention, RepeatsAreEqualBitByBitAlsoBesideAnotherStream) {
  Call call = plain({4, 3}, 130, 130, 40, 40, at::kBFloat16);
  call.s.bias = normal({1, 3, 130, 130}, 9).to(at::kFloat);
  call.s.dropout_p = 0.1, call.s.rng = rng_of(3, 4);
  const Sdpa s = on_gpu(call.s);
  const Tensor grad_out = on_gpu(call.grad_out);
  const c10::impl::VirtualGuardImpl streams(torch::kCUDA);
  const c10::Stream other = streams.getNewStream(kGpu);
  const Tensor busy = at::randn({2048, 2048}, grad_out.options());
  std::vector<Tensor> first;
  for (int repeat = 0; repeat < 100; ++repeat) {
    Tensor product;
    {
      const c10::StreamGuard guard(other);
      product = at::matmul(busy, busy);
    }
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
    const auto [dq, dk, dv, dbias] = sdpa_bwd(s, {grad_out, out, lse}, {true, true, true, true});
    const std::vector<Tensor> got{out, lse, dq, dk, dv, dbias};
    if (first.empty()) first = got;
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_TRUE(at::equal(got[i], first[i])) << "repeat " << repeat << ", result " << i;
  }
}

TEST_F(GpuAttention, RunsOnTheCurrentStream) {
  const c10::impl::VirtualGuardImpl streams(torch::kCUDA);
  const c10::Stream other = streams.getNewStream(kGpu);
  const Call call = plain({2, 2}, 200, 200, 64, 64, at::kHalf);
  const Tensor wanted = std::get<0>(sdpa_fwd(on_gpu(call.s))).cpu();
  const c10::StreamGuard guard(other);
  // The inputs are ready only when this stream has come to them.
  Sdpa s = on_gpu(call.s);
  const Tensor busy = at::randn({4096, 4096}, s.q.options());
  const Tensor late = at::matmul(busy, busy).flatten()[0] * 0;
  s.q = s.q + late;
  EXPECT_TRUE(at::equal(std::get<0>(sdpa_fwd(s)).cpu(), wanted));
}

TEST_F(GpuAttention, DropoutFollowsTheGeneratorOfTheDevice) {
  const Call call = plain({2, 2}, 64, 64, 16, 16, at::kFloat);
  const Sdpa s = on_gpu(call.s);
  const auto drawn = [&] { return sdpa(s.q, s.k, s.v, {.dropout_p = 0.5}).out; };
  torch::manual_seed(1);
  const Tensor first = drawn(), second = drawn();
  torch::manual_seed(1);
  EXPECT_TRUE(at::equal(drawn(), first));
  EXPECT_TRUE(at::equal(drawn(), second));
  EXPECT_FALSE(at::equal(first, second));
}

TEST_F(GpuAttention, ACapturedGraphDrawsAnewAtEveryReplayAndItsBackwardAgrees) {
  const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  void* library = dlopen((beside / "libfovea_gpu_graph.so").c_str(), RTLD_NOW);
  if (!library && fovea::test::gpu_required()) FAIL() << dlerror();
  if (!library) GTEST_SKIP() << "needs a build with nvcc: " << dlerror();
  const auto replay_twice =
      reinterpret_cast<void (*)(const std::function<void()>&, const std::function<void()>&)>(
          dlsym(library, "fovea_replay_twice"));
  const Call call = plain({2, 2}, 64, 64, 16, 16, at::kFloat);
  Sdpa s = on_gpu(call.s);
  s.dropout_p = 0.5;
  const Tensor grad_out = on_gpu(call.grad_out);
  const auto run = [&](const Sdpa& s) {
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
    const auto [dq, dk, dv, none] = sdpa_bwd(s, {grad_out, out, lse}, {true, true, true, false});
    return std::vector<Tensor>{out, lse, dq, dk, dv};
  };
  std::vector<Tensor> captured, outs;
  const auto body = [&] {
    s.rng = draw_rng(s.q, {});
    captured = run(s);
  };
  const auto look = [&] {
    Sdpa eager = s;
    eager.rng = s.rng->clone();
    const std::vector<Tensor> wanted = run(eager);
    for (size_t i = 0; i < wanted.size(); ++i) EXPECT_TRUE(at::equal(captured[i], wanted[i])) << i;
    outs.push_back(captured[0].clone());
  };
  replay_twice(body, look);
  ASSERT_EQ(outs.size(), 2U);
  EXPECT_FALSE(at::equal(outs[0], outs[1]));
}

TEST_F(GpuAttention, AutocastTakesHalvesAndLeavesTheBias) {
  const Call call = plain({1, 2}, 50, 50, 16, 16, at::kFloat);
  const Sdpa s = on_gpu(call.s);
  const Tensor q = s.q.detach().requires_grad_();
  const Tensor bias = normal({1, 2, 50, 50}, 4).to(at::kFloat).to(kGpu).requires_grad_();
  at::autocast::set_autocast_enabled(torch::kCUDA, true);
  at::autocast::set_autocast_dtype(torch::kCUDA, at::kBFloat16);
  const Tensor out = sdpa(q, s.k, s.v, {.bias = bias}).out;
  at::autocast::set_autocast_enabled(torch::kCUDA, false);
  at::autocast::clear_cache();
  EXPECT_EQ(out.scalar_type(), at::kBFloat16);
  out.sum().backward();
  EXPECT_EQ(q.grad().scalar_type(), at::kFloat);
  EXPECT_EQ(bias.grad().scalar_type(), at::kFloat);
}

TEST_F(GpuAttention, EmptyCallsGiveEmptyResultsAndNoKeysGiveZeros) {
  for (const auto& [b, nq, nk] : {std::array{0, 3, 3}, std::array{2, 0, 3}, std::array{2, 3, 0}}) {
    const Call call = plain({b, 2}, nq, nk, 8, 8, at::kFloat);
    const Sdpa s = on_gpu(call.s);
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
    EXPECT_EQ(most(out.cpu()), 0);
    EXPECT_TRUE((lse == kInf).all().item<bool>());
    const auto [dq, dk, dv, dbias] =
        sdpa_bwd(s, {on_gpu(call.grad_out), out, lse}, {true, true, true, false});
    for (const Tensor& t : {dq, dk, dv}) EXPECT_EQ(most(t.cpu()), 0);
  }
}

}  // namespace
}  // namespace fovea::attention::test
