// Dropout is a function of where a weight stands: known answers, and the mask as the operator applies it.
#include "attention/support.h"
#include "fovea/attention/attention.h"

namespace fovea::attention::test {
namespace {

class AttentionDropout : public Poisoned {};

using Words = std::array<uint32_t, 4>;

// The vectors of Random123 (kat_vectors): zeros, ones, digits of pi.
TEST_F(AttentionDropout, DrawsTheKnownAnswersOfPhilox) {
  constexpr Words kZero{}, kOnes{~0U, ~0U, ~0U, ~0U};
  constexpr Words kPi{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
  EXPECT_EQ(philox<10>(kZero, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox<10>(kOnes, ~0U, ~0U), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox<10>(kPi, 0xa4093822, 0x299f31d0),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  EXPECT_EQ(philox<7>(kZero, 0, 0), (Words{0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48}));
  EXPECT_EQ(philox<7>(kOnes, ~0U, ~0U), (Words{0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662}));
  EXPECT_EQ(philox<7>(kPi, 0xa4093822, 0x299f31d0),
            (Words{0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a}));
}

TEST_F(AttentionDropout, CountsAsTheContractSays) {
  const uint64_t seed = 0x123456789abcdef0, offset = 44;
  const auto dropout = Dropout::with(0.25, seed, offset);
  EXPECT_EQ(dropout.threshold, 1U << 30);
  EXPECT_FLOAT_EQ(dropout.factor, 4.0F / 3);
  const Words words = philox<7>({7, 5, 3, 11}, 0x9abcdef0, 0x12345678);
  for (int64_t word = 0; word < 4; ++word)
    EXPECT_EQ(dropout.keeps(3, 5, 28 + word), words[static_cast<size_t>(word)] >= 1U << 30);
  EXPECT_EQ(Dropout::with(1 - 1e-12, 0, 0).threshold, ~0U);
  EXPECT_EQ(Dropout::with(0, 0, 0).threshold, 0U);
}

/// What the operator multiplies the weights by, read off: all scores 0, so that every weight is 1 / Nk, and v the unit
/// matrix. [B,H,Nq,Nk]
Tensor applied(int64_t b, int64_t h, int64_t nq, int64_t nk, at::ScalarType type, double p,
               const Tensor& rng) {
  Sdpa s{at::zeros({b, h, nq, 4}, type), at::zeros({b, h, nk, 4}, type),
         at::eye(nk, type).expand({b, h, nk, nk})};
  s.dropout_p = p, s.rng = rng;
  return std::get<0>(sdpa_fwd(s)) * nk;
}

TEST_F(AttentionDropout, HitsTheSameWeightsOnEveryInstructionSet) {
  for (const auto type : {at::kFloat, at::kBFloat16, at::kDouble})
    for (const int64_t nk : {1, 6, 49, 197, 530}) {
      Sdpa s{at::zeros({2, 3, 5, 4}), at::zeros({2, 3, nk, 4}), at::zeros({2, 3, nk, 4})};
      s.dropout_p = 0.35, s.rng = rng_of(-12345, 8);
      const Tensor wanted = kept(s, at::kDouble);
      each_isa([&] {
        const Tensor found = applied(2, 3, 5, nk, type, 0.35, *s.rng).to(at::kDouble);
        EXPECT_TRUE(at::equal(found != 0, wanted != 0));
        EXPECT_TRUE(at::allclose(found, wanted, 1e-2, 0));
      });
    }
}

TEST_F(AttentionDropout, KeepsTheFractionItShould) {
  for (const double p : {0.1, 0.5, 0.93}) {
    const Tensor found = applied(4, 4, 100, 125, at::kFloat, p, rng_of(99));
    const double n = static_cast<double>(found.numel());
    const double fraction = (found != 0).sum().item<double>() / n;
    EXPECT_NEAR(fraction, 1 - p, 5 * std::sqrt(p * (1 - p) / n));
    EXPECT_NEAR(found.mean().item<double>(), 1, 5 * std::sqrt(p / (1 - p) / n));
  }
}

TEST_F(AttentionDropout, DiffersBetweenSeedsOffsetsHeadsAndSamples) {
  const auto mask = [](const Tensor& rng) {
    return applied(2, 2, 16, 64, at::kFloat, 0.5, rng) != 0;
  };
  const Tensor first = mask(rng_of(1));
  const auto share = [&](const Tensor& a, const Tensor& b) {
    return (a == b).to(at::kFloat).mean().item<double>();
  };
  for (const Tensor& rng : {rng_of(2), rng_of(1, 4), rng_of(int64_t{1} << 32)})
    EXPECT_NEAR(share(first, mask(rng)), 0.5, 0.1);
  EXPECT_NEAR(share(first[0], first[1]), 0.5, 0.1);
  EXPECT_NEAR(share(first.select(1, 0), first.select(1, 1)), 0.5, 0.1);
  EXPECT_TRUE(at::equal(first, mask(rng_of(1))));
}

TEST_F(AttentionDropout, IsDrawnFromTheGeneratorItIsGiven) {
  const Tensor like = at::zeros({1});
  auto generator = at::detail::createCPUGenerator(5);
  const Tensor first = draw_rng(like, generator), second = draw_rng(like, generator);
  EXPECT_FALSE(at::equal(first, second));
  EXPECT_TRUE(at::equal(first, draw_rng(like, at::detail::createCPUGenerator(5))));
  EXPECT_EQ(first.sizes(), at::IntArrayRef({2}));
  EXPECT_EQ(first.scalar_type(), at::kLong);
  at::manual_seed(3);
  const Tensor global = draw_rng(like, {});
  at::manual_seed(3);
  EXPECT_TRUE(at::equal(global, draw_rng(like, {})));
}

TEST_F(AttentionDropout, OfACallIsReproducedByItsSeed) {
  const Tensor x = normal({2, 2, 20, 8}, 1).to(at::kFloat);
  const auto call = [&](uint64_t seed) {
    return sdpa(x, x, x, {.dropout_p = 0.5, .generator = at::detail::createCPUGenerator(seed)}).out;
  };
  EXPECT_TRUE(at::equal(call(1), call(1)));
  EXPECT_FALSE(at::equal(call(1), call(2)));
  const Tensor qkv = normal({2, 6, 6, 12}, 2).to(at::kFloat);
  const auto windows = [&](uint64_t seed) {
    return window_sdpa(qkv, {}, 2,
                       {.window = {3, 3},
                        .dropout_p = 0.5,
                        .generator = at::detail::createCPUGenerator(seed)})
        .out;
  };
  EXPECT_TRUE(at::equal(windows(1), windows(1)));
  EXPECT_FALSE(at::equal(windows(1), windows(2)));
}

}  // namespace
}  // namespace fovea::attention::test
