// The emulator itself: a test that it cannot fail would prove nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "cuda/device.h"

namespace fovea::cuda::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Emulator, HalvesRoundToNearestEven) {
  const auto rounded = [](float x) { return float_of_half(emulate::half_of_float(x)); };
  for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const float x = float_of_half(static_cast<std::uint16_t>(bits));
    const float next = float_of_half(static_cast<std::uint16_t>(bits + 1));
    ASSERT_EQ(emulate::half_of_float(x), bits);
    ASSERT_EQ(emulate::half_of_float(-x), bits | 0x8000U);
    if (bits == 0x7BFF) break;
    ASSERT_EQ(emulate::half_of_float((x + next) / 2), bits + bits % 2);
    ASSERT_EQ(emulate::half_of_float(x + (next - x) * 0.49F), bits);
    ASSERT_EQ(emulate::half_of_float(x + (next - x) * 0.51F), bits + 1);
  }
  EXPECT_EQ(rounded(65519.0F), 65504.0F);
  EXPECT_EQ(rounded(65520.0F), INFINITY);
  EXPECT_TRUE(std::isnan(rounded(NAN)));
}

TEST(Emulator, BfloatsAndTf32RoundToNearest) {
  const auto brain = [](float x) {
    return float_of_bits(static_cast<std::uint32_t>(emulate::bfloat_of_float(x)) << 16);
  };
  EXPECT_EQ(brain(1.0F), 1.0F);
  EXPECT_EQ(brain(1.0F + 0x1p-8F), 1.0F);
  EXPECT_EQ(brain(1.0F + 0x1.8p-7F), 1.0F + 0x1p-6F);
  EXPECT_EQ(brain(-INFINITY), -INFINITY);
  EXPECT_TRUE(std::isnan(brain(NAN)));
  EXPECT_EQ(float_of_bits(tf32_of(1.0F + 0x1p-11F)), 1.0F + 0x1p-10F);
  EXPECT_EQ(float_of_bits(tf32_of(-1.0F - 0x0.Fp-11F)), -1.0F);
}

TEST(Emulator, ProductsAreAddedTowardZero) {
  const auto sum = [](float c, std::vector<double> products) {
    return emulate::sum_of_products(c, products.data(), static_cast<int>(products.size()));
  };
  EXPECT_EQ(sum(1, {0x1.Fp-24}), 1.0F);
  EXPECT_EQ(sum(1, {0x1p-24, 0x1p-24}), 1.0F + 0x1p-23F);      // together a last place
  EXPECT_EQ(sum(1, {0x1.Fp-26, 0x1.Fp-26, 0x1.Fp-26}), 1.0F);  // each beyond what is aligned
  EXPECT_EQ(sum(-1, {-0x1.Fp-24}), -1.0F);
  EXPECT_EQ(sum(-1, {0x1p-25}), -1.0F + 0x1p-24F);
  EXPECT_EQ(sum(0, {3, -3}), 0.0F);
  EXPECT_EQ(sum(5, {0x1p-140 * 0x1p-140, 2}), 7.0F);
  EXPECT_EQ(sum(0, {0x1p-75 * 0x1p-74}), 0x1p-149F);
  EXPECT_EQ(sum(INFINITY, {1}), INFINITY);
  EXPECT_TRUE(std::isnan(sum(1, {NAN})));
  float one_by_one = 1;
  for (int i = 0; i < 1024; ++i) one_by_one = sum(one_by_one, {0x1.Cp-24});
  EXPECT_EQ(one_by_one, 1.0F);  // to nearest it would be 1 + 2^-13
}

TEST(Emulator, SharedMemoryBeginsAsNaNInEveryBlock) {
  int seen = 0;
  emulate::run(3, 32, 4, [&](unsigned char* shared) {
    auto* x = reinterpret_cast<float*>(shared);
    if (thread_index() == 0) seen += std::isnan(*x) ? 1 : 0;
    sync_block();
    *x = 1;
  });
  EXPECT_EQ(seen, 3);
}

TEST(Emulator, WritesBehindTheSharedMemoryAreNoticed) {
  EXPECT_THAT([] { emulate::run(1, 32, 32, [](unsigned char* shared) { shared[32] = 0; }); },
              ThrowsMessage<std::logic_error>(HasSubstr("behind its shared memory")));
}

TEST(Emulator, ABarrierThatNotAllReachIsNoticed) {
  EXPECT_THAT(
      [] {
        emulate::run(1, 64, 0, [](unsigned char*) {
          if (thread_index() < 40) sync_block();
        });
      },
      ThrowsMessage<std::logic_error>(HasSubstr("do not come")));
}

TEST(Emulator, LanesThatDisagreeAboutTheInstructionAreNoticed) {
  EXPECT_THAT(
      [] {
        emulate::run(1, 32, 0,
                     [](unsigned char*) { shuffle_xor(1U, thread_index() < 16 ? 1 : 2); });
      },
      ThrowsMessage<std::logic_error>(HasSubstr("different instructions")));
}

TEST(Emulator, CopiesArriveWhenTheyAreWaitedForOrAtOnce) {
  alignas(16) float from[4] = {1, 2, 3, 4};
  for (const std::uint32_t order : {0U, 1U}) {
    std::vector<float> before(32), after(32);
    emulate::set_order(order);
    emulate::run(1, 32, 32 * 16, [&](unsigned char* shared) {
      auto* to = reinterpret_cast<float*>(shared) + 4 * thread_index();
      const auto t = static_cast<std::size_t>(thread_index());
      copy_async(to, from, true);
      copy_commit();
      before[t] = to[3];
      copy_wait<0>();
      after[t] = to[3];
    });
    emulate::set_order(0);
    for (std::size_t t = 0; t < 32; ++t) {
      EXPECT_EQ(std::isnan(before[t]), order == 0);
      EXPECT_EQ(after[t], 4);
    }
  }
}

TEST(Emulator, CopiesNobodyWaitsForAreNoticed) {
  EXPECT_THAT(
      [] {
        emulate::run(1, 32, 16, [](unsigned char* shared) {
          copy_async(shared, nullptr, false);
          copy_commit();
        });
      },
      ThrowsMessage<std::logic_error>(HasSubstr("nobody waited for")));
}

TEST(Emulator, AMissingBarrierShowsInAnotherOrder) {
  const auto last_writer = [](std::uint32_t order) {
    int x = -1;
    emulate::set_order(order);
    emulate::run(1, 64, 0, [&](unsigned char*) { x = thread_index(); });
    emulate::set_order(0);
    return x;
  };
  EXPECT_EQ(last_writer(0), 63);
  EXPECT_EQ(last_writer(1), 0);
}

}  // namespace
}  // namespace fovea::cuda::test
