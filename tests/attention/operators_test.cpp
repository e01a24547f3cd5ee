// The operators as others call them: by name, under autocast, with their path told.
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "attention/support.h"
#include "fovea/attention/attention.h"

namespace fovea::attention::test {
namespace {

class AttentionOperators : public Poisoned {};

auto schema(const char* name) { return c10::Dispatcher::singleton().findSchemaOrThrow(name, ""); }

TEST_F(AttentionOperators, HaveAKernelForEveryKey) {
  using c10::DispatchKey;
  for (const char* name : {"fovea::sdpa_fwd", "fovea::sdpa_bwd", "fovea::window_sdpa_fwd",
                           "fovea::window_sdpa_bwd", "fovea::draw_rng"})
    for (const auto key : {DispatchKey::CPU, DispatchKey::Meta, DispatchKey::Autograd})
      EXPECT_TRUE(schema(name).hasKernelForDispatchKey(key)) << name << " " << key;
  for (const char* name : {"fovea::sdpa_fwd", "fovea::window_sdpa_fwd"})
    for (const auto key : {DispatchKey::AutocastCPU, DispatchKey::AutocastCUDA})
      EXPECT_TRUE(schema(name).hasKernelForDispatchKey(key)) << name << " " << key;
  for (const char* name :
       {"fovea::sdpa", "fovea::window_sdpa", "fovea::spatial_sdpa", "fovea::draw_rng"})
    EXPECT_TRUE(schema(name).hasTag(at::Tag::nondeterministic_seeded)) << name;
}

TEST_F(AttentionOperators, AreThoseOfTheFunctionsByName) {
  const Tensor q = normal({2, 4, 6, 5}, 1), k = normal({2, 4, 7, 5}, 2),
               v = normal({2, 4, 7, 3}, 3);
  const Tensor bias = normal({1, 4, 6, 7}, 4), len_k = torch::tensor({7, 3});
  const auto generator = [] {
    return std::optional<at::Generator>(at::detail::createCPUGenerator(5));
  };
  const OptionalTensor none;

  using SdpaOp = Tensor(const Tensor&, const Tensor&, const Tensor&, const OptionalTensor&,
                        const OptionalTensor&, const OptionalTensor&, const OptionalTensor&, double,
                        bool, std::optional<double>, std::optional<at::Generator>);
  EXPECT_TRUE(at::equal(schema("fovea::sdpa")
                            .typed<SdpaOp>()
                            .call(q, k, v, bias, none, none, len_k, 0.3, true, 0.5, generator()),
                        sdpa(q, k, v,
                             {.bias = bias,
                              .len_k = len_k,
                              .dropout_p = 0.3,
                              .causal = true,
                              .scale = 0.5,
                              .generator = generator()})
                            .out));

  using WindowOp =
      Tensor(const Tensor&, const OptionalTensor&, int64_t, at::IntArrayRef, at::IntArrayRef,
             double, std::optional<double>, std::optional<at::Generator>);
  const Tensor qkv = normal({2, 4, 5, 12}, 6), table = normal({15, 2}, 7);
  EXPECT_TRUE(at::equal(
      schema("fovea::window_sdpa")
          .typed<WindowOp>()
          .call(qkv, table, 2, {2, 3}, {1, 0}, 0.3, {}, generator()),
      window_sdpa(qkv, table, 2,
                  {.window = {2, 3}, .shift = {1, 0}, .dropout_p = 0.3, .generator = generator()})
          .out));

  using SpatialOp = Tensor(const Tensor&, const Tensor&, const Tensor&, int64_t, double, double,
                           std::optional<at::Generator>);
  const Tensor map = normal({2, 4, 3, 2}, 8);
  EXPECT_TRUE(at::equal(
      schema("fovea::spatial_sdpa")
          .typed<SpatialOp>()
          .call(map, map, map, 2, 1.0, 0.3, generator()),
      spatial_sdpa(map, map, map, {.heads = 2, .dropout_p = 0.3, .generator = generator()})));
}

TEST_F(AttentionOperators, OfFeatureMapsAreAttentionOfTheirPositions) {
  for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    const Tensor q = normal({2, 6, 3, 5}, 1).to(type), k = normal({2, 6, 2, 4}, 2).to(type),
                 v = normal({2, 10, 2, 4}, 3).to(type);
    const auto rows = [](const Tensor& t, int64_t d) {
      return t.to(at::kDouble).view({2, 2, d, -1}).transpose(2, 3);
    };
    const Tensor wanted =
        formula({rows(q, 3), rows(k, 3), rows(v, 5), {}, {}, {}, {}, {}, 0, false, 1.0})
            .out.transpose(2, 3)
            .reshape({2, 10, 3, 5});
    each_isa([&] {
      const Tensor out = spatial_sdpa(q, k, v, {.heads = 2});
      EXPECT_TRUE(out.is_contiguous());
      EXPECT_LE((out.to(at::kDouble) - wanted).norm().item<double>(),
                tolerance(type) * wanted.norm().item<double>());
      const Tensor last = spatial_sdpa(q.contiguous(at::MemoryFormat::ChannelsLast),
                                       k.contiguous(at::MemoryFormat::ChannelsLast),
                                       v.contiguous(at::MemoryFormat::ChannelsLast), {.heads = 2});
      EXPECT_TRUE(last.is_contiguous(at::MemoryFormat::ChannelsLast));
      EXPECT_TRUE(at::allclose(out, last, 1e-2, 1e-2));
    });
  }
}

class Autocast {
 public:
  explicit Autocast(at::ScalarType type) : before_(at::autocast::get_autocast_dtype(at::kCPU)) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, type);
  }
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::set_autocast_dtype(at::kCPU, before_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::ScalarType before_;
};

TEST_F(AttentionOperators, RunInTheTypeOfAutocast) {
  const auto leaf = [](at::IntArrayRef sizes, uint64_t seed) {
    return normal(sizes, seed).to(at::kFloat).requires_grad_();
  };
  const Tensor q = leaf({2, 2, 6, 8}, 1), k = leaf({2, 2, 7, 8}, 2), v = leaf({2, 2, 7, 8}, 3),
               bias = leaf({1, 2, 6, 7}, 4);
  const Tensor qkv = leaf({2, 6, 24}, 5), table = leaf({5, 2}, 6);
  for (const auto type : {at::kBFloat16, at::kHalf}) {
    Result result, windows;
    {
      const Autocast autocast(type);
      result = sdpa(q, k, v, {.bias = bias});
      windows = window_sdpa(qkv, table, 2, {.window = {3}, .shift = {1}});
    }
    EXPECT_EQ(result.out.scalar_type(), type);
    EXPECT_EQ(windows.out.scalar_type(), type);
    EXPECT_EQ(result.lse.scalar_type(), at::kFloat);
    EXPECT_TRUE(
        at::equal(result.out, sdpa(q.to(type), k.to(type), v.to(type), {.bias = bias}).out));
    const auto gradients = torch::autograd::grad({result.out.sum() + windows.out.square().sum()},
                                                 {q, k, v, bias, qkv, table});
    for (const Tensor& gradient : gradients) EXPECT_EQ(gradient.scalar_type(), at::kFloat);
  }
  const Autocast autocast(at::kBFloat16);  // double stays double
  EXPECT_EQ(sdpa(q.to(at::kDouble), k.to(at::kDouble), v.to(at::kDouble)).out.scalar_type(),
            at::kDouble);
}

TEST_F(AttentionOperators, TellTheirPath) {
  setenv("FOVEA_CPU_ISA", "reference", 1);
  const Tensor x = normal({1, 1, 4, 4}, 1).to(at::kFloat);
  sdpa(x, x, x);
  EXPECT_EQ(last_path(), "reference");
  setenv("FOVEA_SDPA_LOG", "1", 1);
  static int64_t batch = 3;  // new shapes too when the test is repeated
  ++batch;
  testing::internal::CaptureStderr();
  for (int repeat = 0; repeat < 2; ++repeat) {
    const Tensor k = normal({batch, 1, 7, 4}, 1).to(at::kBFloat16).requires_grad_();
    sdpa(k.slice(2, 0, 5), k, k.slice(3, 0, 2)).out.sum().backward();
    window_sdpa(normal({batch, 6, 12}, 2), {}, 2, {.window = {3}});
  }
  unsetenv("FOVEA_SDPA_LOG");
  unsetenv("FOVEA_CPU_ISA");
  const std::string b = std::to_string(batch), windows = std::to_string(2 * batch);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "sdpa_fwd [" + b + ",1,5|7,4|2] bf16: reference\n" + "sdpa_bwd [" + b +
                ",1,5|7,4|2] bf16: reference\n" + "window_sdpa_fwd [" + windows +
                ",2,3,2] fp64: reference\n");
}

TEST_F(AttentionOperators, KeepTheirInputsAsTheyWere) {
  const Tensor q = normal({2, 2, 6, 8}, 1).to(at::kFloat),
               bias = normal({1, 2, 6, 6}, 2).to(at::kFloat);
  const Tensor q_before = q.clone(), bias_before = bias.clone();
  each_isa([&] {
    const Tensor leaf = q.detach().requires_grad_();
    sdpa(leaf, leaf, leaf, {.bias = bias}).out.sum().backward();
    EXPECT_TRUE(at::equal(q, q_before) && at::equal(bias, bias_before));
  });
}

}  // namespace
}  // namespace fovea::attention::test
