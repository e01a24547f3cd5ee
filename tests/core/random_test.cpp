#include "fovea/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace fovea {
namespace {

// Known answers of the Random123 distribution (Salmon et al. 2011), philox4x32 with 10 rounds.
TEST(Random, PhiloxGivesThePublishedBlocks) {
  using Block = std::array<uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, AStreamDependsOnItsCoordinatesAndOnNothingElse) {
  Random a(7, Purpose::augment, 3, 11);
  Random b(7, Purpose::augment, 3, 11);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.bits(), b.bits());
  std::set<uint32_t> firsts;
  for (uint64_t seed : {7, 8})
    for (const Purpose purpose : {Purpose::augment, Purpose::shuffle})
      for (uint64_t epoch : {3, 4})
        for (uint64_t index : {uint64_t{11}, uint64_t{12}, uint64_t{11} << 32})
          firsts.insert(Random(seed, purpose, epoch, index).bits());
  EXPECT_EQ(firsts.size(), 24u);
}

TEST(Random, MomentsAgreeWithTheDistributions) {
  Random random(1, Purpose::sample);
  constexpr int n = 200000;
  double uniform = 0, normal = 0, square = 0, beta = 0;
  for (int i = 0; i < n; ++i) {
    uniform += random.uniform();
    const double z = random.normal();
    normal += z;
    square += z * z;
    beta += random.beta(2, 6);
  }
  // Five standard errors of each mean.
  EXPECT_NEAR(uniform / n, 0.5, 5 * 0.2887 / std::sqrt(n));
  EXPECT_NEAR(normal / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(beta / n, 0.25, 5 * 0.1443 / std::sqrt(n));
}

TEST(Random, AShuffleIsAPermutation) {
  std::vector<int> order(100);
  std::iota(order.begin(), order.end(), 0);
  Random(1, Purpose::shuffle).shuffle(order);
  EXPECT_FALSE(std::ranges::is_sorted(order));
  std::ranges::sort(order);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

}  // namespace
}  // namespace fovea
