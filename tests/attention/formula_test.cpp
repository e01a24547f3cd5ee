// The operator against the formula: shapes, types, layouts and everything at random.
#include "attention/draws.h"
#include "fovea/attention/attention.h"

namespace fovea::attention::test {
namespace {

class AttentionFormula : public Poisoned {};

Call plain(int64_t b, int64_t h, int64_t nq, int64_t nk, int64_t dk, int64_t dv,
           at::ScalarType type) {
  Call call;
  call.s.q = normal({b, h, nq, dk}, 1).to(type);
  call.s.k = normal({b, h, nk, dk}, 2).to(type);
  call.s.v = normal({b, h, nk, dv}, 3).to(type);
  call.grad_out = normal({b, h, nq, dv}, 4).to(type);
  return call;
}

/// Of a result without data, what a result with data must have too.
void expect_alike(const char* name, const Tensor& meta, const Tensor& real) {
  ASSERT_EQ(meta.defined(), real.defined()) << name;
  if (!real.defined()) return;
  EXPECT_EQ(meta.sizes(), real.sizes()) << name;
  EXPECT_EQ(meta.strides(), real.strides()) << name;
  EXPECT_EQ(meta.scalar_type(), real.scalar_type()) << name;
}

Tensor without_data(const Tensor& t) {
  return at::empty_strided(t.sizes(), t.strides(), t.options().device(at::kMeta));
}
OptionalTensor without_data(const OptionalTensor& t) {
  return t ? OptionalTensor(without_data(*t)) : std::nullopt;
}

void expect_meta_agrees(const Call& call, std::array<bool, 4> need) {
  Sdpa s = call.s;
  s.q = without_data(s.q), s.k = without_data(s.k), s.v = without_data(s.v);
  for (OptionalTensor* t : {&s.bias, &s.mask, &s.len_q, &s.len_k, &s.rng}) *t = without_data(*t);
  const auto [out, lse, col_sum, avg_map] = sdpa_fwd(call.s);
  const auto [meta_out, meta_lse, meta_sum, meta_map] = sdpa_fwd(s);
  expect_alike("out", meta_out, out);
  expect_alike("lse", meta_lse, lse);
  expect_alike("col_sum", meta_sum, col_sum);
  expect_alike("avg_map", meta_map, avg_map);
  const auto [dq, dk, dv, dbias] = sdpa_bwd(call.s, {call.grad_out, out, lse}, need);
  const auto [meta_q, meta_k, meta_v, meta_bias] =
      sdpa_bwd(s, {without_data(call.grad_out), meta_out, meta_lse}, need);
  expect_alike("dq", meta_q, dq);
  expect_alike("dk", meta_k, dk);
  expect_alike("dv", meta_v, dv);
  expect_alike("dbias", meta_bias, dbias);
  EXPECT_EQ(dq.defined(), need[0]);
  EXPECT_EQ(dk.defined(), need[1]);
  EXPECT_EQ(dv.defined(), need[2]);
  EXPECT_EQ(dbias.defined(), need[3] && call.s.bias);
}

TEST_F(AttentionFormula, HoldsForEveryLength) {
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const int64_t n :
         {1,   2,   7,   15,  16,  17,  31,  32,  33,  49,  63,  64,  65,   113, 127,
          128, 129, 196, 197, 203, 216, 217, 343, 511, 512, 513, 784, 1000, 1728}) {
      SCOPED_TRACE(testing::Message() << c10::toString(type) << ", " << n << " positions");
      expect_formula(plain(1, n < 300 ? 2 : 1, n, n, n < 300 ? 24 : 16, n < 300 ? 24 : 16, type));
      if (HasFailure()) return;
    }
}

TEST_F(AttentionFormula, HoldsForEveryWidth) {
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const int64_t d :
         {1, 3, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 256}) {
      SCOPED_TRACE(testing::Message() << c10::toString(type) << ", " << d << " channels");
      expect_formula(plain(2, 1, 21, 37, d, d, type));
      expect_formula(plain(1, 2, 40, 18, d, 264 - d, type));
      if (HasFailure()) return;
    }
}

TEST_F(AttentionFormula, HoldsForMoreHeadsThanAShortCounts) {
  expect_formula(plain(16500, 4, 2, 3, 4, 5, at::kFloat));
  expect_formula(plain(1, 66000, 2, 2, 3, 3, at::kBFloat16));
}

TEST_F(AttentionFormula, HoldsForCallsAtRandomWhoseShapesMetaForetells) {
  const uint64_t seed = std::random_device()();
  for (uint64_t draw = 0; draw < 200; ++draw) {
    Draws draws(seed + draw);
    const Call call = draws.next();
    SCOPED_TRACE(testing::Message() << "Draws(" << seed + draw << "): " << describe(call));
    expect_formula(call);
    expect_meta_agrees(call,
                       {draws.once_in(2), draws.once_in(2), draws.once_in(2), draws.once_in(2)});
    if (HasFailure()) return;
  }
}

TEST_F(AttentionFormula, IsMetByTheReferenceToTwelveDigits) {
  for (uint64_t draw = 0; draw < 60; ++draw) {
    Call call = Draws(draw).next();
    call.s = in_type(call.s, at::kDouble);
    call.grad_out = call.grad_out.to(at::kDouble);
    SCOPED_TRACE(testing::Message() << "Draws(" << draw << "): " << describe(call));
    expect_formula(call);
    const Formula exact = formula(call.s);
    const Tensor out = std::get<0>(sdpa_fwd(call.s));
    EXPECT_THAT(last_path(), testing::StartsWith("reference"));
    EXPECT_LE(most(out - exact.out), 1e-12 * (1 + most(exact.out)));
  }
}

// Each sum of dbias is over samples and heads too.
TEST_F(AttentionFormula, HoldsForTheGradientOfABiasOfManySamples) {
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const std::vector<int64_t>& sizes :
         {std::vector<int64_t>{1, 3, 49, 49}, {1, 1, 49, 49}, {64, 1, 1, 49}, {1, 3, 1, 1}}) {
      Call call = plain(64, 3, 49, 49, 16, 16, type);
      call.s.bias = normal(sizes, 5).to(at::kFloat);
      expect_formula(call);
    }
}

// Their backward pass is cut into blocks of queries, as many for any number of threads.
TEST_F(AttentionFormula, HoldsForFewHeadsOfManyQueries) {
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const std::vector<int64_t>& sizes : {std::vector<int64_t>{},
                                              {1, 2, 1100, 37},
                                              {2, 1, 1100, 37},
                                              {1, 1, 1100, 1},
                                              {2, 2, 1, 37},
                                              {1, 2, 1, 1}}) {
      SCOPED_TRACE(testing::Message() << c10::toString(type) << ", bias " << sizes);
      Call call = plain(2, 2, 1100, 37, 16, 8, type);
      if (!sizes.empty()) call.s.bias = normal(sizes, 5).to(at::kFloat);
      expect_formula(call);
      call.s.causal = true;
      call.s.dropout_p = 0.2, call.s.rng = rng_of(3);
      call.s.len_q = at::tensor({1100, 300});  // none in the last block
      call.s.len_k = at::tensor({20, 37});
      expect_formula(call);
      if (HasFailure()) return;
      const auto [out, lse, col_sum, avg_map] = sdpa_fwd(call.s);
      const auto gradients = [&] {
        return sdpa_bwd(call.s, {call.grad_out, out, lse}, {true, true, true, !sizes.empty()});
      };
      at::set_num_threads(1);
      const auto alone = gradients();
      at::set_num_threads(3);
      const auto together = gradients();
      EXPECT_TRUE(at::equal(std::get<0>(alone), std::get<0>(together)));
      EXPECT_TRUE(at::equal(std::get<1>(alone), std::get<1>(together)));
      EXPECT_TRUE(at::equal(std::get<2>(alone), std::get<2>(together)));
      if (!sizes.empty()) {
        EXPECT_TRUE(at::equal(std::get<3>(alone), std::get<3>(together)));
      }
    }
}

TEST_F(AttentionFormula, OfNothingIsNothing) {
  for (const std::array<int64_t, 4>& n : {std::array<int64_t, 4>{0, 2, 3, 4},
                                          {2, 0, 3, 4},
                                          {2, 2, 0, 4},
                                          {2, 2, 3, 0},
                                          {0, 0, 0, 0}}) {
    Call call = plain(n[0], n[1], n[2], n[3], 8, 5, at::kFloat);
    call.s.bias = at::zeros({1, 1, 1, 1});
    call.s.want_col_sum = call.s.want_avg_map = true;
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(call.s);
    EXPECT_EQ(out.sizes(), at::IntArrayRef({n[0], n[1], n[2], 5}));
    for (const Tensor& zero : {out, col_sum, avg_map}) EXPECT_EQ(most(zero), 0);
    EXPECT_TRUE((lse == kInf).all().item<bool>());
    const auto [dq, dk, dv, dbias] =
        sdpa_bwd(call.s, {call.grad_out, out, lse}, {true, true, true, true});
    for (const Tensor& zero : {dq, dk, dv, dbias}) EXPECT_EQ(most(zero), 0);
  }
}

TEST_F(AttentionFormula, GivesOutThatMergesItsHeadsAsAView) {
  const Call call = plain(2, 3, 5, 7, 8, 6, at::kFloat);
  const Tensor out = sdpa(call.s.q, call.s.k, call.s.v).out;
  EXPECT_EQ(out.strides(), at::IntArrayRef({90, 6, 18, 1}));
  const Tensor first = sdpa(call.s.q, call.s.k, laid(call.s.v, Layout::channels_first)).out;
  EXPECT_EQ(first.strides(), at::IntArrayRef({90, 30, 1, 5}));
  EXPECT_TRUE(at::equal(first, out));
}

}  // namespace
}  // namespace fovea::attention::test
