// The operators as libfovea_cuda.so calls its kernels, with tensors of the CPU and the emulator in a GPU's place: against the
// formula in double, and windows against the CPU's operators.
#include "attention/draws.h"
#include "cuda/calls.h"
#include "fovea/attention/attention.h"

namespace fovea::attention::test {
namespace {

class CudaOperators : public Poisoned {};

const cuda::Device kEmulated{
    .sm = 80, .check = [](int error) { TORCH_CHECK(error == 0, "CUDA error ", error); }};

Tensors4 forward(const Sdpa& s, const cuda::Device& device = kEmulated) {
  check(s);
  Tensors4 results = empty_results(s);
  cuda::forward(s, device, results);
  return results;
}

void expect_formula_of_kernels(const Call& call) {
  const Sdpa& s = call.s;
  const at::ScalarType type = s.q.scalar_type();
  const bool bias = s.bias.has_value();
  const Formula exact = formula(in_type(s, at::kDouble)), naive = formula(s);
  const Gradients wanted = formula_gradients(call, at::kDouble);
  const Gradients rough = formula_gradients(call, type);
  const Terms sizes = terms(call);
  const Tensor blind = exact.lse == kInf, exact_lse = exact.lse.masked_fill(blind, 0);
  const double bound = tolerance(type);
  const auto [out, lse, col_sum, avg_map] = forward(s);
  expect_near("out", out, exact.out, naive.out, sizes.out, 2, bound);
  EXPECT_TRUE(at::equal(lse == kInf, blind)) << "lse is +inf just where a query sees nothing";
  EXPECT_LE(most(lse.to(at::kDouble).masked_fill(blind, 0) - exact_lse),
            1e-5 * (1 + most(exact_lse)));
  if (s.want_col_sum) {
    const Tensor sums = exact.weights.sum(2);
    EXPECT_LE(most(col_sum - sums), 1e-4 * (1 + most(sums))) << "col_sum";
  }
  if (s.want_avg_map) {
    EXPECT_LE(most(avg_map - exact.weights.mean(1)), 1e-4) << "avg_map";
  }
  const Passed passed{call.grad_out, out, lse};
  check(s, passed);
  const Tensors4 gradients = empty_gradients(s, {true, true, true, bias});
  cuda::backward(s, passed, kEmulated, gradients);
  const auto& [dq, dk, dv, dbias] = gradients;
  expect_near("dq", dq, wanted.q, rough.q, sizes.q, 3, 2 * bound);
  expect_near("dk", dk, wanted.k, rough.k, sizes.k, 3, 2 * bound);
  expect_near("dv", dv, wanted.v, rough.v, sizes.v, 3, 2 * bound);
  // The row sums of the gradient come from `out` as it was rounded; an error of a row is that of all its keys.
  if (bias)
    expect_near("dbias", dbias, wanted.bias, rough.bias, sizes.bias, 3,
                std::max(bias_tolerance(type, s.bias->scalar_type()), bound / 2));
}

TEST_F(CudaOperators, AreTheFormulaForRandomCalls) {
  const uint64_t seed = 20262;
  Draws draws(seed);
  for (int i = 0; i < 60; ++i) {
    const Call call = draws.next();
    if (call.s.q.scalar_type() == at::kDouble) continue;  // has no kernel
    SCOPED_TRACE("seed " + std::to_string(seed) + ", draw " + std::to_string(i) + ": " +
                 describe(call));
    expect_formula_of_kernels(call);
  }
}

TEST_F(CudaOperators, TakeABiasThatWasExpandedAndGiveItsGradientInFull) {
  Draws draws(7);
  Call call = draws.next();
  while (call.s.q.scalar_type() != at::kFloat || call.s.bias) call = draws.next();
  const auto n = call.s.q.sizes();
  call.s.bias = normal({1, 1, 1, call.s.k.size(2)}, 3)
                    .to(at::kFloat)
                    .expand({n[0], n[1], n[2], call.s.k.size(2)});
  expect_formula_of_kernels(call);
}

TEST_F(CudaOperators, SayWhichKernelRan) {
  cuda::Device tf32 = kEmulated;
  tf32.tf32 = true;
  for (const auto& [positions, kernel] :
       {std::pair{64, "sm80 window "}, std::pair{65, "sm80 mma "}}) {
    Sdpa s;
    for (const auto type : {at::kHalf, at::kBFloat16, at::kFloat}) {
      s.q = s.k = s.v = normal({1, 1, positions, 8}, 1).to(type);
      forward(s);
      EXPECT_EQ(last_path(), std::string(kernel) + (type == at::kHalf       ? "f16"
                                                    : type == at::kBFloat16 ? "bf16"
                                                                            : "3xtf32"));
    }
    forward(s, tf32);
    EXPECT_EQ(last_path(), std::string(kernel) + "tf32");
  }
}

TEST_F(CudaOperators, GiveLongSequencesToTheHopperKernelsAndSayWhyNot) {
  cuda::Device device = kEmulated;
  device.sm = 90;
  Sdpa s;
  s.q = s.k = s.v = normal({1, 1, 768, 16}, 1).to(at::kBFloat16);
  const Tensor out = std::get<0>(forward(s, device));
  EXPECT_EQ(last_path(), "sm90 wgmma bf16");
  const Tensor others = std::get<0>(forward(s));
  EXPECT_LT((out - others).to(at::kFloat).norm().item<float>(),
            8e-3F * others.to(at::kFloat).norm().item<float>());
  s.q = s.q.narrow(2, 0, 100);
  forward(s, device);
  EXPECT_EQ(last_path(), "sm80 mma bf16 (few positions)");
}

void expect_near(const char* name, const Tensor& found, const Tensor& wanted, double bound) {
  ASSERT_EQ(found.sizes(), wanted.sizes()) << name;
  const Tensor x = found.to(at::kDouble), y = wanted.to(at::kDouble);
  EXPECT_TRUE(at::equal(x == kInf, y == kInf)) << name;
  const Tensor left = x.masked_fill(x == kInf, 0), right = y.masked_fill(y == kInf, 0);
  EXPECT_LE((left - right).norm().item<double>(), bound * right.norm().item<double>()) << name;
}

TEST_F(CudaOperators, OfWindowsAreThoseOfTheCpu) {
  struct Layer {
    std::vector<int64_t> grid, window, shift;
    double p;
    at::ScalarType type, of_table;
  };
  const std::vector<Layer> layers = {
      {{14, 7}, {7, 7}, {3, 0}, 0.1, at::kHalf, at::kFloat},
      {{13}, {4}, {2}, 0, at::kFloat, at::kDouble},
      {{6, 5, 9}, {3, 2, 4}, {1, 1, 2}, 0.2, at::kBFloat16, at::kBFloat16},
      {{6, 7}, {}, {}, 0, at::kFloat, at::kFloat},
      {{5, 3, 2}, {}, {}, 0.5, at::kHalf, at::kHalf},
  };
  for (const Layer& layer : layers) {
    SCOPED_TRACE(testing::Message() << "grid " << at::IntArrayRef(layer.grid));
    std::vector<int64_t> sizes{2};
    sizes.insert(sizes.end(), layer.grid.begin(), layer.grid.end());
    sizes.push_back(3 * 2 * 8);
    WindowSdpa s;
    s.qkv = normal(sizes, 5).to(layer.type);
    s.heads = 2, s.window = layer.window, s.shift = layer.shift, s.dropout_p = layer.p;
    s.want_col_sum = s.want_avg_map = true;
    int64_t rows = 1;
    for (const int64_t w : layer.window.empty() ? layer.grid : layer.window) rows *= 2 * w - 1;
    s.table = normal({rows, 2}, 6).to(layer.of_table);
    if (layer.p > 0) s.rng = rng_of(11, 4);
    const double bound = 3 * tolerance(layer.type);
    const Tensors4 wanted = window_sdpa_fwd(s);
    check(s);
    const Tensors4 found = empty_results(s);
    cuda::forward(s, kEmulated, found);
    expect_near("out", std::get<0>(found), std::get<0>(wanted), bound);
    expect_near("lse", std::get<1>(found), std::get<1>(wanted), bound);
    expect_near("col_sum", std::get<2>(found), std::get<2>(wanted), bound);
    expect_near("avg_map", std::get<3>(found), std::get<3>(wanted), bound);
    const Tensor grad_out = normal(std::get<0>(wanted).sizes(), 7).to(layer.type);
    const Passed passed{grad_out, std::get<0>(wanted), std::get<1>(wanted)};
    const Tensors2 expected = window_sdpa_bwd(s, passed, {true, true});
    const Tensors2 gradients = empty_gradients(s, {true, true});
    cuda::backward(s, passed, kEmulated, gradients);
    expect_near("dqkv", std::get<0>(gradients), std::get<0>(expected), 2 * bound);
    expect_near("dtable", std::get<1>(gradients), std::get<1>(expected), 2 * bound + 1e-2);
  }
}

}  // namespace
}  // namespace fovea::attention::test
