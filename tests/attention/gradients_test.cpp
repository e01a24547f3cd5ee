// Gradients against central differences in double, and the rules about which there are.
#include "attention/gradcheck.h"
#include "fovea/attention/attention.h"

namespace fovea::attention::test {
namespace {

class AttentionGradients : public Poisoned {};

Tensors tiny(bool bias) {
  Tensors inputs{normal({2, 2, 3, 4}, 1), normal({2, 2, 4, 4}, 2), normal({2, 2, 4, 3}, 3)};
  if (bias) inputs.push_back(normal({1, 2, 3, 4}, 4));
  return inputs;
}

TEST_F(AttentionGradients, AreTheSlopesOfTheOperator) {
  gradcheck(tiny(true),
            [](const Tensors& x) { return sdpa(x[0], x[1], x[2], {.bias = x[3]}).out; });
  gradcheck(tiny(false),
            [](const Tensors& x) { return sdpa(x[0], x[1], x[2], {.scale = 0.7}).out; });
}

TEST_F(AttentionGradients, AreTheSlopesUnderMasksLengthsAndCausality) {
  const Tensor mask = at::rand({2, 1, 3, 4}, at::detail::createCPUGenerator(5)) < 0.7;
  gradcheck(tiny(true), [&](const Tensors& x) {
    return sdpa(x[0], x[1], x[2],
                {.bias = x[3],
                 .mask = mask,
                 .len_q = torch::tensor({3, 2}),
                 .len_k = torch::tensor({2, 4}),
                 .causal = true})
        .out;
  });
}

TEST_F(AttentionGradients, AreTheSlopesOfOneDropoutMask) {
  gradcheck(tiny(true), [](const Tensors& x) {
    const Sdpa s{x[0], x[1], x[2], x[3], {}, {}, {}, rng_of(7), 0.4};
    return std::get<0>(sdpa_fwd(s));
  });
}

TEST_F(AttentionGradients, AreTheSlopesOfBiasesOfEveryShape) {
  for (const std::vector<int64_t>& sizes :
       {std::vector<int64_t>{2, 2, 3, 4}, {2, 1, 1, 4}, {1, 2, 3, 1}, {1, 1, 1, 1}, {2, 1, 3, 4}}) {
    Tensors inputs = tiny(false);
    inputs.push_back(normal(sizes, 6));
    gradcheck(inputs, [](const Tensors& x) { return sdpa(x[0], x[1], x[2], {.bias = x[3]}).out; });
  }
}

TEST_F(AttentionGradients, AreTheSlopesInDirectionsThroughLargerInputs) {
  const Tensors inputs{normal({2, 3, 37, 8}, 1), normal({2, 3, 29, 8}, 2),
                       normal({2, 3, 29, 11}, 3), normal({1, 3, 37, 29}, 4)};
  gradcheck(inputs, [](const Tensors& x) { return sdpa(x[0], x[1], x[2], {.bias = x[3]}).out; });
}

TEST_F(AttentionGradients, AreTheSlopesOfWindows) {
  for (const double p : {0.0, 0.3}) {
    const auto windows = [&](const std::vector<int64_t>& window,
                             const std::vector<int64_t>& shift) {
      return [=](const Tensors& x) {
        const OptionalTensor rng = p > 0 ? OptionalTensor(rng_of(8)) : std::nullopt;
        return std::get<0>(window_sdpa_fwd({x[0], x[1], rng, 2, window, shift, p}));
      };
    };
    gradcheck({normal({2, 5, 18}, 1), normal({5, 2}, 2)}, windows({3}, {1}));
    gradcheck({normal({1, 4, 5, 18}, 1), normal({15, 2}, 2)}, windows({2, 3}, {1, 0}));
    gradcheck({normal({1, 2, 3, 2, 6}, 1), normal({27, 2}, 2)}, windows({2, 2, 2}, {1, 1, 1}));
    gradcheck({normal({2, 2, 3, 12}, 1), normal({15, 2}, 2)}, windows({}, {}));
  }
}

TEST_F(AttentionGradients, AreTheSlopesOfFeatureMaps) {
  gradcheck({normal({2, 4, 3, 2}, 1), normal({2, 4, 5}, 2), normal({2, 6, 5}, 3)},
            [](const Tensors& x) { return spatial_sdpa(x[0], x[1], x[2], {.heads = 2}); });
}

TEST_F(AttentionGradients, OfABiasAloneNeedNoOther) {
  const Tensors x = tiny(true);
  const Tensor bias = x[3].clone().requires_grad_();
  const Tensor q = x[0].clone().requires_grad_();
  const auto loss = [&](const Tensor& q) {
    return sdpa(q, x[1], x[2], {.bias = bias}).out.square().sum();
  };
  const Tensor alone = torch::autograd::grad({loss(x[0])}, {bias})[0];
  EXPECT_TRUE(at::equal(alone, torch::autograd::grad({loss(q)}, {q, bias})[1]));
}

TEST_F(AttentionGradients, AreUndefinedExactlyWhereNotNeeded) {
  Sdpa s{normal({1, 2, 3, 4}, 1).to(at::kFloat), normal({1, 2, 5, 4}, 2).to(at::kFloat),
         normal({1, 2, 5, 6}, 3).to(at::kFloat)};
  s.bias = normal({1, 1, 3, 5}, 4);
  const Tensor grad_out = normal({1, 2, 3, 6}, 5).to(at::kFloat);
  each_isa([&] {
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
    const Passed passed{grad_out, out, lse};
    const auto [q, k, v, bias] = sdpa_bwd(s, passed, {true, true, true, true});
    for (int bits = 0; bits < 16; ++bits) {
      const auto bit = [&](int i) { return (bits >> i & 1) != 0; };
      const auto [dq, dk, dv, dbias] = sdpa_bwd(s, passed, {bit(0), bit(1), bit(2), bit(3)});
      const std::array<std::pair<Tensor, Tensor>, 4> pairs{
          {{dq, q}, {dk, k}, {dv, v}, {dbias, bias}}};
      for (int i = 0; i < 4; ++i) {
        const auto& [found, wanted] = pairs[static_cast<size_t>(i)];
        ASSERT_EQ(found.defined(), bit(i)) << bits;
        EXPECT_TRUE(!bit(i) || at::allclose(found, wanted, 1e-5, 1e-7)) << bits;
      }
    }
  });
  const Tensor qkv = normal({1, 4, 12}, 6), table = normal({7, 2}, 7);
  const WindowSdpa w{qkv, table, {}, 2, {}, {}};
  const auto [wout, wlse, wsum, wmap] = window_sdpa_fwd(w);
  const auto [dqkv, none] = window_sdpa_bwd(w, {wout, wout, wlse}, {true, false});
  const auto [nothing, dtable] = window_sdpa_bwd(w, {wout, wout, wlse}, {false, true});
  EXPECT_TRUE(dqkv.defined() && dtable.defined());
  EXPECT_FALSE(none.defined() || nothing.defined());
}

TEST_F(AttentionGradients, OfTheLogarithmAndTheMapsThereAreNone) {
  const Tensors x = tiny(false);
  const Tensor q = x[0].clone().requires_grad_();
  const Result result = sdpa(q, x[1], x[2], {.want_col_sum = true, .want_avg_map = true});
  EXPECT_TRUE(result.out.requires_grad());
  for (const Tensor& t : {result.lse, result.col_sum, result.avg_map})
    EXPECT_FALSE(t.requires_grad());
}

// The gradient that comes into it is one number with strides of 0.
TEST_F(AttentionGradients, OfASumAreThoseOfOnes) {
  for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf})
    each_isa([&] {
      const auto leaf = [&](at::IntArrayRef sizes, uint64_t seed) {
        return normal(sizes, seed).to(type).requires_grad_();
      };
      const Tensor q = leaf({2, 2, 33, 32}, 1), k = leaf({2, 2, 40, 32}, 2);
      const Tensor v = leaf({2, 2, 40, 16}, 3), qkv = leaf({2, 6, 6, 48}, 4);
      const Tensor out = sdpa(q, k, v).out;
      const Tensor windows = window_sdpa(qkv, {}, 2, {.window = {3, 3}, .shift = {1, 1}}).out;
      const Tensors ones{at::ones_like(out), at::ones_like(windows)};
      const auto wanted = torch::autograd::grad({out, windows}, {q, k, v, qkv}, ones, true);
      const auto found = torch::autograd::grad({out.sum(), windows.sum()}, {q, k, v, qkv});
      for (size_t i = 0; i < found.size(); ++i)
        EXPECT_TRUE(at::allclose(found[i], wanted[i], 1e-2, 1e-2)) << "input " << i;
    });
}

void expect_refuses_second(const Tensor& first) {
  EXPECT_TRUE(first.requires_grad());
  try {
    first.sum().backward();
    FAIL() << "no error";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("double backward is not supported"));
  }
}

TEST_F(AttentionGradients, OfGradientsAreRefused) {
  const Tensors x = tiny(true);
  const Tensor q = x[0].clone().requires_grad_(), bias = x[3].clone().requires_grad_();
  const Tensor loss = sdpa(q, x[1], x[2], {.bias = bias}).out.square().sum();
  expect_refuses_second(torch::autograd::grad({loss}, {q, bias}, {}, true, true)[1]);
  const Tensor qkv = normal({1, 4, 12}, 6).requires_grad_();
  const Tensor windows = window_sdpa(qkv, {}, 2).out.square().sum();
  expect_refuses_second(torch::autograd::grad({windows}, {qkv}, {}, true, true)[0]);
}

TEST_F(AttentionGradients, ComeInTheTypesAndLayoutsOfTheirInputs) {
  const auto leaf = [](const Tensor& t) {
    return t.to(at::kBFloat16).transpose(1, 2).contiguous().transpose(1, 2).requires_grad_();
  };
  const Tensor q = leaf(normal({2, 2, 3, 4}, 1)), k = leaf(normal({2, 2, 5, 4}, 2)),
               v = leaf(normal({2, 2, 5, 4}, 3));
  for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble}) {
    const Tensor bias = normal({1, 2, 3, 5}, 4).to(type).requires_grad_();
    const auto found =
        torch::autograd::grad({sdpa(q, k, v, {.bias = bias}).out.sum()}, {q, k, v, bias});
    EXPECT_EQ(found[0].strides(), q.strides());
    EXPECT_EQ(found[1].strides(), k.strides());
    EXPECT_EQ(found[2].strides(), v.strides());
    EXPECT_EQ(found[0].scalar_type(), at::kBFloat16);
    EXPECT_EQ(found[3].scalar_type(), type);
    EXPECT_EQ(found[3].sizes(), bias.sizes());
  }
}

}  // namespace
}  // namespace fovea::attention::test
