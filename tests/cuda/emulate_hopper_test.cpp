// The emulator's copy engine, barriers and warpgroup products on data laid out by hand; and that it cannot but fail where a
// kernel forgets to wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

#include "cuda/device_hopper.h"

namespace fovea::cuda::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr int kRows = 64, kBytes = kRows * 128;  // of a tile of 64 channels

/// [batch][head][position][channel] of whole numbers that fp16 and bf16 hold exactly.
struct Numbers {
  int size[4];  // channels first
  bool brain;
  std::vector<std::uint16_t> data;

  Numbers(int channels, int positions, int heads, int batches, bool brain, int seed)
      : size{channels, positions, heads, batches}, brain(brain) {
    for (int i = 0; i < channels * positions * heads * batches; ++i) {
      const auto x = static_cast<float>((i * 37 + i / 7 * 11 + seed * 13) % 17 - 8);
      data.push_back(brain ? emulate::bfloat_of_float(x) : emulate::half_of_float(x));
    }
  }
  float at(int channel, int position, int head = 0, int batch = 0) const {
    const int i[4] = {channel, position, head, batch};
    for (int d = 0; d < 4; ++d)
      if (i[d] < 0 || i[d] >= size[d]) return 0;
    const auto bits = data[static_cast<std::size_t>(
        ((batch * size[2] + head) * size[1] + position) * size[0] + channel)];
    return brain ? float_of_bits(static_cast<std::uint32_t>(bits) << 16) : float_of_half(bits);
  }
  TensorMap map() const {
    TensorMap map{reinterpret_cast<const unsigned char*>(data.data()), {}, {}, {64, kRows, 1, 1}};
    std::int64_t step = 2;
    for (int d = 0; d < 4; step *= size[d++]) map.size[d] = size[d], map.stride[d] = step;
    return map;
  }
};

float half_at(const unsigned char* p) {
  std::uint16_t bits;
  std::memcpy(&bits, p, 2);
  return float_of_half(bits);
}

std::uint64_t bits(std::uint64_t address, std::uint64_t leading, std::uint64_t stride) {
  return address >> 4 | leading >> 4 << 16 | stride >> 4 << 32 | std::uint64_t{1} << 62;
}

/// Thread 0 initialises the barriers at `first`, everybody may use them then.
void init(Barrier* first, std::initializer_list<int> arrivals) {
  if (thread_index() == 0) {
    for (const int n : arrivals) barrier_init(first++, n);
    barriers_ready();
  }
  sync_block();
}

void expect_failure(int threads, const char* what, const std::function<void(unsigned char*)>& f) {
  EXPECT_THAT([&] { emulate::run(1, threads, 4 * kBytes + 64, f); },
              ThrowsMessage<std::logic_error>(HasSubstr(what)));
}

TEST(EmulatedHopper, ABoxLiesSwizzledAndIsZeroOutsideTheTensor) {
  const Numbers x(40, 70, 3, 2, false, 1);
  int wrong = 0;
  emulate::run(1, 32, kBytes + 8, [&](unsigned char* shared) {
    auto* barrier = reinterpret_cast<Barrier*>(shared + kBytes);
    init(barrier, {1});
    if (thread_index() == 0) {
      barrier_expect(barrier, kBytes);
      load_box(shared, x.map(), 8, 20, 2, 1, barrier);
    }
    barrier_wait(barrier, 0);
    if (thread_index() != 0) return;
    for (int row = 0; row < kRows; ++row)
      for (int c = 0; c < 64; ++c) {
        const int unit = c / 8 ^ row % 8;  // of 16 bytes
        const float got = half_at(shared + row * 128 + unit * 16 + c % 8 * 2);
        wrong += got == x.at(8 + c, 20 + row, 2, 1) ? 0 : 1;
      }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(EmulatedHopper, AMapThatTheDriverWouldRefuseIsNone) {
  const TensorMap map = Numbers(64, 64, 2, 2, false, 1).map();
  EXPECT_TRUE(emulate::is_map(map));
  const auto with = [&](auto change) {
    TensorMap other = map;
    change(other);
    return emulate::is_map(other);
  };
  EXPECT_FALSE(with([](TensorMap& x) { x.base += 8; }));
  EXPECT_FALSE(with([](TensorMap& x) { x.stride[2] += 8; }));
  EXPECT_FALSE(with([](TensorMap& x) { x.stride[3] = std::int64_t{1} << 40; }));
  EXPECT_FALSE(with([](TensorMap& x) { x.size[1] = 0; }));
  EXPECT_FALSE(with([](TensorMap& x) { x.box[0] = 128; }));
  EXPECT_FALSE(with([](TensorMap& x) { x.box[1] = 257; }));
}

TEST(EmulatedHopper, ABoxArrivesWhenItIsWaitedForOrAtOnce) {
  const Numbers x(64, 64, 1, 1, false, 1);
  for (const std::uint32_t order : {0U, 1U}) {
    float before = 0, after = 0;
    emulate::set_order(order);
    emulate::run(1, 32, kBytes + 8, [&](unsigned char* shared) {
      auto* barrier = reinterpret_cast<Barrier*>(shared + kBytes);
      init(barrier, {1});
      if (thread_index() != 0) return;
      barrier_expect(barrier, kBytes);
      load_box(shared, x.map(), 0, 0, 0, 0, barrier);
      before = half_at(shared);
      barrier_wait(barrier, 0);
      after = half_at(shared);
    });
    emulate::set_order(0);
    EXPECT_EQ(std::isnan(before), order == 0);
    EXPECT_EQ(after, x.at(0, 0));
  }
}

TEST(EmulatedHopper, APhaseEndsWhenAllHaveArrivedWithAllBytes) {
  std::vector<int> log;
  emulate::run(1, 64, 8, [&](unsigned char* shared) {
    auto* barrier = reinterpret_cast<Barrier*>(shared);
    init(barrier, {2});
    barrier_wait(barrier, 1);  // the phase before the first
    sync_warp();               // a lane two phases ahead would leave the others behind
    for (std::uint32_t phase = 0; phase < 3; ++phase) {
      if (thread_index() % 32 == 0) {
        log.push_back(static_cast<int>(phase));
        barrier_arrive(barrier);
      }
      barrier_wait(barrier, phase % 2);
      sync_warp();
    }
  });
  EXPECT_EQ(log, (std::vector{0, 0, 1, 1, 2, 2}));
  expect_failure(32, "do not come", [](unsigned char* shared) {
    auto* barrier = reinterpret_cast<Barrier*>(shared);
    init(barrier, {1});
    if (thread_index() == 0) barrier_expect(barrier, 16);
    barrier_wait(barrier, 0);
  });
}

/// d [64, 8 N] of `a` and `b` [64 rows, 64 channels each, b twice for N 16]: a b' or, where b's rows are its rows, a b.
template <class T, int N>
void expect_product(bool a_in_registers) {
  constexpr bool kBrain = std::is_same_v<T, bf16>;
  const Numbers a(64, 64, 1, 1, kBrain, 1), b(128, 128, 1, 1, kBrain, 2);
  int wrong = 0;
  emulate::run(1, 128, 5 * kBytes + 8, [&](unsigned char* shared) {
    auto* barrier = reinterpret_cast<Barrier*>(shared + 5 * kBytes);
    init(barrier, {1});
    if (thread_index() == 0) {
      barrier_expect(barrier, 5 * kBytes);
      load_box(shared, a.map(), 0, 0, 0, 0, barrier);
      for (int panel = 0; panel < 2; ++panel)
        for (int half = 0; half < 2; ++half)
          load_box(shared + (1 + 2 * panel + half) * kBytes, b.map(), 64 * panel, 64 * half, 0, 0,
                   barrier);
    }
    barrier_wait(barrier, 0);
    const std::uint64_t at = shared_address(shared), b_at = at + kBytes;
    float d[N][4];
    for (auto& tile : d)
      for (float& x : tile) x = 1;
    std::uint32_t registers[4][4];
    const int row = 16 * warp() + lane() / 4, pair = lane() % 4 * 2;
    for (int k = 0; k < 4; ++k)
      for (int r = 0; r < 4; ++r) {
        const int i = row + r % 2 * 8, c = 16 * k + pair + r / 2 * 8;
        registers[k][r] = kBrain ? bfloat_pair(a.at(c, i), a.at(c + 1, i))
                                 : half_pair(a.at(c, i), a.at(c + 1, i));
      }
    wgmma_fence();
    for (int k = 0; k < 4; ++k) {
      const auto depth = static_cast<std::uint64_t>(k);
      if (a_in_registers)
        wgmma(T{}, d, registers[k], bits(b_at + depth * 2048, 2 * kBytes, 1024), true);
      else
        wgmma(T{}, d, bits(at + depth * 32, 16, 1024), bits(b_at + depth * 32, 16, 1024), k > 0);
    }
    wgmma_commit();
    for (const auto& tile : d)
      for (const float x : tile) wrong += std::isnan(x) ? 0 : 1;  // it is under way
    wgmma_wait<0>();
    for (int n = 0; n < N; ++n)
      for (int e = 0; e < 4; ++e) {
        const int i = row + e / 2 * 8, j = 8 * n + pair + e % 2;
        float wanted = a_in_registers ? 1 : 0;
        for (int c = 0; c < 64; ++c)
          wanted += a.at(c, i) * (a_in_registers ? b.at(j, c) : b.at(c, j));
        wrong += d[n][e] == wanted ? 0 : 1;
      }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(EmulatedHopper, AProductOfTilesIsTheFormula) {
  for (const bool a_in_registers : {false, true}) {
    expect_product<f16, 8>(a_in_registers);
    expect_product<f16, 16>(a_in_registers);
    expect_product<bf16, 8>(a_in_registers);
    expect_product<bf16, 16>(a_in_registers);
  }
}

// --- Mistakes --------------------------------------------------------------------------------------------------------

TEST(EmulatedHopper, MisusedBarriersAreNoticed) {
  expect_failure(32, "nobody initialised",
                 [](unsigned char* shared) { barrier_arrive(reinterpret_cast<Barrier*>(shared)); });
  expect_failure(32, "more arrive", [](unsigned char* shared) {
    auto* barrier = reinterpret_cast<Barrier*>(shared);
    init(barrier, {1});
    if (thread_index() == 0) barrier_expect(barrier, 16), barrier_arrive(barrier);
  });
  const Numbers x(64, 64, 1, 1, false, 1);
  expect_failure(32, "nobody waited for", [&](unsigned char* shared) {
    auto* barrier = reinterpret_cast<Barrier*>(shared + kBytes);
    init(barrier, {1});
    if (thread_index() == 0) load_box(shared, x.map(), 0, 0, 0, 0, barrier);
  });
  expect_failure(32, "need not see", [&](unsigned char* shared) {
    auto* barrier = reinterpret_cast<Barrier*>(shared + kBytes);
    if (thread_index() != 0) return;
    barrier_init(barrier, 1);
    load_box(shared, x.map(), 0, 0, 0, 0, barrier);
  });
  expect_failure(32, "multiple of 128", [&](unsigned char* shared) {
    auto* barrier = reinterpret_cast<Barrier*>(shared + 2 * kBytes);
    init(barrier, {1});
    if (thread_index() == 0) load_box(shared + 64, x.map(), 0, 0, 0, 0, barrier);
  });
}

TEST(EmulatedHopper, RegistersThatNobodyGaveCannotBeTaken) {
  const auto swap = [](bool give) {
    emulate::run(1, 384, 0, [&](unsigned char*) {
      if (warp() < 8)
        take_registers<240>();
      else if (give)
        give_registers<24>();
    });
  };
  EXPECT_NO_THROW(swap(true));
  EXPECT_THAT([&] { swap(false); }, ThrowsMessage<std::logic_error>(HasSubstr("do not come")));
}

/// One product of what lies in shared memory, with `between` before it is waited for.
void multiply(unsigned char* shared, const std::function<void(float (&)[8][4])>& between) {
  const std::uint64_t at = shared_address(shared);
  float d[8][4] = {};
  wgmma_fence();
  wgmma(f16{}, d, bits(at, 16, 1024), bits(at, 16, 1024), false);
  wgmma_commit();
  between(d);
  wgmma_wait<0>();
}

TEST(EmulatedHopper, MisusedProductsAreNoticed) {
  expect_failure(128, "without wgmma.fence", [](unsigned char* shared) {
    multiply(shared, [](auto&) {});
    const std::uint64_t at = shared_address(shared);
    float d[8][4] = {};
    wgmma(f16{}, d, bits(at, 16, 1024), bits(at, 16, 1024), false);
  });
  expect_failure(128, "accumulator was written",
                 [](unsigned char* shared) { multiply(shared, [](auto& d) { d[3][1] = 0; }); });
  expect_failure(128, "operand was written", [](unsigned char* shared) {
    multiply(shared, [&](auto&) { shared[130] = 0, fence_shared(); });
  });
  expect_failure(128, "operand was written", [](unsigned char* shared) {
    std::uint32_t a[4] = {};
    float d[8][4] = {};
    wgmma_fence();
    wgmma(f16{}, d, a, bits(shared_address(shared), 16, 1024), false);
    wgmma_commit();
    a[2] = 1;
    wgmma_wait<0>();
  });
  expect_failure(128, "nobody waited for", [](unsigned char* shared) {
    static thread_local float d[128][8][4];
    wgmma_fence();
    wgmma(f16{}, d[thread_index()], bits(shared_address(shared), 16, 1024),
          bits(shared_address(shared), 16, 1024), false);
    wgmma_commit();
  });
  expect_failure(128, "different products",
                 [](unsigned char* shared) { multiply(shared + 1024 * warp(), [](auto&) {}); });
  expect_failure(128, "not all warps", [](unsigned char* shared) {
    if (warp() < 3) multiply(shared, [](auto&) {});
  });
  expect_failure(128, "outside the shared memory",
                 [](unsigned char* shared) { multiply(shared + 4 * kBytes, [](auto&) {}); });
}

/// A ring of two slots in small: what a warp loads, a warpgroup adds up by products with the unit matrix.
enum class Mistake { none, no_wait_full, no_wait_free, early_release, no_fence, no_wait_product };

bool pipeline_is_right(Mistake mistake, std::uint32_t order) {
  constexpr int kSteps = 6, kSlots = 2;
  const Numbers x(64, kRows * kSteps, 1, 1, false, 3);
  float wanted = 0;
  for (int step = 0; step < kSteps; ++step) wanted += x.at(3, kRows * step + 5);
  float got = 0;
  emulate::set_order(order);
  try {
    emulate::run(1, 256, 3 * kBytes + 64, [&](unsigned char* shared) {
      auto* full = reinterpret_cast<Barrier*>(shared + 3 * kBytes);
      Barrier* free = full + kSlots;
      unsigned char* one = shared + kSlots * kBytes;
      for (int i = thread_index(); i < kRows * 64; i += 256) {
        const int row = i / 64, c = i % 64;
        const std::uint16_t value = row == c ? 0x3C00 : 0;
        std::memcpy(one + row * 128 + (c / 8 ^ row % 8) * 16 + c % 8 * 2, &value, 2);
      }
      if (mistake != Mistake::no_fence) fence_shared();
      init(full, {1, 1, 4, 4});
      if (warp() == 4)
        for (int step = 0; step < kSteps; ++step) {
          const int slot = step % kSlots;
          const auto turn = static_cast<std::uint32_t>(step / kSlots % 2);
          if (mistake != Mistake::no_wait_free) barrier_wait(free + slot, turn ^ 1U);
          if (lane() != 0) continue;
          barrier_expect(full + slot, kBytes);
          load_box(shared + slot * kBytes, x.map(), 0, kRows * step, 0, 0, full + slot);
        }
      if (warp() >= 4) return;
      float d[8][4] = {};
      for (int step = 0; step < kSteps; ++step) {
        const int slot = step % kSlots;
        if (mistake != Mistake::no_wait_full)
          barrier_wait(full + slot, static_cast<std::uint32_t>(step / kSlots % 2));
        const std::uint64_t a = shared_address(one), b = shared_address(shared + slot * kBytes);
        wgmma_fence();
        for (std::uint64_t k = 0; k < 4; ++k)
          wgmma(f16{}, d, bits(a + 32 * k, 16, 1024), bits(b + 32 * k, 16, 1024), true);
        wgmma_commit();
        if (mistake == Mistake::early_release && lane() == 0) barrier_arrive(free + slot);
        if (mistake != Mistake::no_wait_product || step + 1 == kSteps) wgmma_wait<0>();
        if (mistake != Mistake::early_release && lane() == 0) barrier_arrive(free + slot);
      }
      // Row 3 of the unit matrix times row 5 of the tiles: element (3, 5).
      if (thread_index() == 12 + 2) got = d[0][1];
    });
  } catch (const std::logic_error&) {
    got = NAN;
  }
  emulate::set_order(0);
  return got == wanted;
}

TEST(EmulatedHopper, APipelineThatForgetsToWaitFailsInSomeOrder) {
  for (const std::uint32_t order : {0U, 1U, 2U, 3U})
    EXPECT_TRUE(pipeline_is_right(Mistake::none, order)) << order;
  for (const Mistake mistake :
       {Mistake::no_wait_full, Mistake::no_wait_free, Mistake::early_release, Mistake::no_fence,
        Mistake::no_wait_product}) {
    int right = 0;
    for (const std::uint32_t order : {0U, 1U, 2U, 3U}) right += pipeline_is_right(mistake, order);
    EXPECT_LT(right, 4) << static_cast<int>(mistake);
  }
}

}  // namespace
}  // namespace fovea::cuda::test
