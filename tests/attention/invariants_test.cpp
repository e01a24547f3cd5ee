// What holds whatever the numbers are, and that the same call gives the same bits.
#include "attention/draws.h"
#include "fovea/attention/attention.h"

namespace fovea::attention::test {
namespace {

class AttentionInvariants : public Poisoned {};

Sdpa call_of(at::ScalarType type = at::kFloat) {
  Sdpa s{normal({4, 2, 33, 16}, 1).to(type), normal({4, 2, 50, 16}, 2).to(type),
         normal({4, 2, 50, 24}, 3).to(type)};
  s.bias = normal({1, 2, 33, 50}, 4).to(at::kFloat);
  s.mask = at::rand({4, 1, 33, 50}, at::detail::createCPUGenerator(5)) < 0.6;
  s.mask->select(2, 7).fill_(false);
  s.want_col_sum = s.want_avg_map = true;
  return s;
}

TEST_F(AttentionInvariants, TheOrderOfKeysDoesNotMatter) {
  const Sdpa s = call_of();
  const Tensor order = at::randperm(50, at::detail::createCPUGenerator(6), at::kLong);
  Sdpa other = s;
  other.k = s.k.index_select(2, order), other.v = s.v.index_select(2, order);
  other.bias = s.bias->index_select(3, order), other.mask = s.mask->index_select(3, order);
  each_isa([&] {
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
    const auto [out2, lse2, col_sum2, avg_map2] = sdpa_fwd(other);
    EXPECT_TRUE(at::allclose(out, out2, 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(lse, lse2, 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(col_sum.index_select(2, order), col_sum2, 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(avg_map.index_select(2, order), avg_map2, 1e-5, 1e-6));
  });
}

TEST_F(AttentionInvariants, AConstantAddedToARowMovesOnlyItsLogarithm) {
  const Sdpa s = call_of();
  const Tensor constant = normal({1, 1, 33, 1}, 7, 20).to(at::kFloat);
  Sdpa other = s;
  other.bias = *s.bias + constant;
  each_isa([&] {
    const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
    const auto [out2, lse2, col_sum2, avg_map2] = sdpa_fwd(other);
    EXPECT_TRUE(at::allclose(out, out2, 1e-4, 1e-4));
    EXPECT_TRUE(at::allclose(lse + constant.squeeze(-1), lse2, 1e-5, 1e-4));
  });
}

TEST_F(AttentionInvariants, ASampleIsComputedAsIfItWereAlone) {
  for (const auto type : {at::kFloat, at::kBFloat16, at::kDouble}) {
    const Sdpa s = call_of(type);
    const Tensor grad = normal({4, 2, 33, 24}, 8).to(type);
    each_isa([&] {
      const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
      const auto [dq, dk, dv, none] = sdpa_bwd(s, {grad, out, lse}, {true, true, true, false});
      for (int64_t b = 0; b < 4; ++b) {
        const auto one = [&](const Tensor& t) { return t.slice(0, b, b + 1); };
        Sdpa alone = s;
        alone.q = one(s.q), alone.k = one(s.k), alone.v = one(s.v), alone.mask = one(*s.mask);
        const auto [out1, lse1, col_sum1, avg_map1] = sdpa_fwd(alone);
        const auto [dq1, dk1, dv1, none1] =
            sdpa_bwd(alone, {one(grad), out1, lse1}, {true, true, true, false});
        EXPECT_TRUE(at::equal(one(out), out1) && at::equal(one(lse), lse1));
        EXPECT_TRUE(at::equal(one(col_sum), col_sum1) && at::equal(one(avg_map), avg_map1));
        EXPECT_TRUE(at::equal(one(dq), dq1) && at::equal(one(dk), dk1) && at::equal(one(dv), dv1));
      }
    });
  }
}

TEST_F(AttentionInvariants, ColumnSumsAddUpToTheRowsThatSeeSomething) {
  for (const double p : {0.0, 0.5}) {
    Sdpa s = call_of();
    s.dropout_p = p, s.rng = rng_of(1);
    each_isa([&] {
      const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
      EXPECT_TRUE(at::allclose(col_sum.sum(2), (lse != kInf).sum(2).to(at::kFloat), 1e-5, 0));
      EXPECT_TRUE(at::allclose(col_sum.mean(1), avg_map.sum(1), 1e-4, 1e-5));
      EXPECT_TRUE(at::allclose(avg_map.sum(2), (lse != kInf).to(at::kFloat).mean(1), 1e-5, 0));
    });
  }
}

TEST_F(AttentionInvariants, GradientsOfScoresAddUpToNothingInEachRow) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    Sdpa s = call_of(type);
    s.bias = normal({4, 2, 33, 50}, 4).to(at::kFloat);
    const Tensor grad = normal({4, 2, 33, 24}, 8).to(type);
    each_isa([&] {
      const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
      const auto dbias = std::get<3>(sdpa_bwd(s, {grad, out, lse}, {false, false, false, true}));
      EXPECT_LE(most(dbias.sum(3)), (type == at::kFloat ? 1e-5 : 1e-2) * (1 + most(dbias)));
    });
  }
}

TEST_F(AttentionInvariants, CastsDoNotMatterToHalfPrecision) {
  const Sdpa s = call_of();
  const Tensor half = std::get<0>(sdpa_fwd(in_type(s, at::kHalf)));
  const Tensor single = std::get<0>(sdpa_fwd(in_type(in_type(s, at::kHalf), at::kFloat)));
  EXPECT_TRUE(at::equal(half, single.to(at::kHalf)));
  EXPECT_EQ(half.strides(), single.strides());
}

std::vector<Tensor> all_of(const Sdpa& s, const Tensor& grad) {
  const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
  const auto [dq, dk, dv, dbias] = sdpa_bwd(s, {grad, out, lse}, {true, true, true, true});
  return {out, lse, col_sum, avg_map, dq, dk, dv, dbias};
}

void expect_equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (size_t i = 0; i < a.size(); ++i) ASSERT_TRUE(at::equal(a[i], b[i])) << "result " << i;
}

TEST_F(AttentionInvariants, ACallGivesTheSameBitsEachTimeOnAnyNumberOfThreads) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    Sdpa s = call_of(type);
    s.dropout_p = 0.2, s.rng = rng_of(3);
    const Tensor grad = normal({4, 2, 33, 24}, 8).to(type);
    const Tensor qkv = normal({2, 9, 10, 24}, 9).to(type),
                 table = normal({49, 2}, 10).to(at::kFloat);
    const WindowSdpa w{qkv, table, {}, 2, {4, 4}, {2, 1}};
    const auto windows = [&] {
      const auto [out, lse, col_sum, avg_map] = window_sdpa_fwd(w);
      const auto [dqkv, dtable] = window_sdpa_bwd(w, {out, out, lse}, {true, true});
      return std::vector<Tensor>{out, lse, dqkv, dtable};
    };
    each_isa([&] {
      at::set_num_threads(1);
      const std::vector<Tensor> first = all_of(s, grad), first_windows = windows();
      for (const auto& [threads, repeats] : {std::pair{1, 85}, {2, 5}, {3, 5}, {8, 5}}) {
        at::set_num_threads(threads);
        for (int repeat = 0; repeat < repeats; ++repeat) {
          expect_equal(all_of(s, grad), first);
          expect_equal(windows(), first_windows);
        }
      }
    });
  }
}

}  // namespace
}  // namespace fovea::attention::test
