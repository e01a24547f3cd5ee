// The Hopper kernels, executed by the emulator, against the plain formula in double; and which calls they take.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "cuda/call.h"
#include "cuda/device_hopper.h"

namespace fovea::cuda::test {
namespace {

constexpr std::array<Elem, 2> kElems = {Elem::f16, Elem::bf16};

/// Relative error in the Euclidean norm that the rounding of the products explains.
double bound(const Case& c) { return c.elem == Elem::f16 ? 1.5e-3 : 8e-3; }

void expect_right(Case c) {
  c.hopper = c.poison = true;
  SCOPED_TRACE(c.name());
  try {
    Call call(c);
    const Result wanted = call.reference(true), forward = call.forward(),
                 backward = call.backward();
    const double most = bound(c);
    EXPECT_LE(distance(forward.out, wanted.out), most);
    EXPECT_LE(distance(forward.lse, wanted.lse), 1e-5);
    EXPECT_LE(distance(backward.dq, wanted.dq), 2 * most);
    EXPECT_LE(distance(backward.dk, wanted.dk), 2 * most);
    EXPECT_LE(distance(backward.dv, wanted.dv), 2 * most);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

TEST(Hopper, IsTheFormulaForEveryLength) {
  std::uint32_t seed = 0;
  for (const Elem elem : kElems)
    for (const std::int64_t n : {1, 63, 64, 65, 127, 128, 129, 200, 256, 300})
      expect_right({.Nq = n, .Nk = n, .Dk = 64, .Dv = 64, .elem = elem, .seed = ++seed});
}

TEST(Hopper, IsTheFormulaForEveryHeadDimension) {
  for (const Elem elem : kElems)
    for (const std::int64_t d : {8, 40, 64, 72, 96, 120, 128})
      expect_right({.Nq = 70, .Nk = 140, .Dk = d, .Dv = d, .elem = elem});
}

TEST(Hopper, KeysAndValuesMayDifferInWidthAndQueriesAndKeysInNumber) {
  for (const Elem elem : kElems) {
    expect_right({.B = 2, .Nq = 130, .Nk = 7, .Dk = 64, .Dv = 128, .elem = elem});
    expect_right({.H = 2, .Nq = 3, .Nk = 400, .Dk = 128, .Dv = 16, .elem = elem});
    expect_right({.B = 2, .H = 2, .Nq = 300, .Nk = 129, .Dk = 24, .Dv = 40, .elem = elem});
  }
}

TEST(Hopper, CausalSkipsTilesButNoKey) {
  for (const Elem elem : kElems)
    for (const std::int64_t d : {64, 128})
      for (const auto& [nq, nk] :
           {std::pair{300, 300}, std::pair{260, 100}, std::pair{100, 260}, std::pair{129, 129}})
        expect_right({.H = 2, .Nq = nq, .Nk = nk, .Dk = d, .Dv = d, .elem = elem, .causal = true});
}

TEST(Hopper, WhatLiesBehindTheLengthsMayBeNaN) {
  for (const bool causal : {false, true})
    for (const bool len64 : {false, true})
      expect_right({.B = 6,
                    .Nq = 150,
                    .Nk = 270,
                    .Dk = 64,
                    .Dv = 64,
                    .causal = causal,
                    .len_q = {150, 0, -3, 500, 7, 64},
                    .len_k = {0, 270, 129, 1, 1000, 128},
                    .len64 = len64});
  // Tiles cut by lengths follow each other, and follow whole ones.
  expect_right({.B = 4,
                .H = 2,
                .Nq = 140,
                .Nk = 200,
                .Dk = 128,
                .Dv = 96,
                .elem = Elem::bf16,
                .len_q = {139, 140, 3, 100},
                .len_k = {10, 199, 200, 150}});
}

TEST(Hopper, DropoutDependsOnWhereAWeightStandsOnly) {
  for (const Elem elem : kElems)
    for (const std::int64_t d : {64, 128})
      for (const double p : {0.1, 0.9})
        expect_right({.B = 2,
                      .H = 2,
                      .Nq = 140,
                      .Nk = 150,
                      .Dk = d,
                      .Dv = d,
                      .elem = elem,
                      .causal = d == 128,
                      .dropout_p = p});
}

TEST(Hopper, PositionsMayLieApartFromEachOther) {
  for (const Elem elem : kElems)
    for (const Layout layout : {Layout::bnhd, Layout::rows})
      expect_right({.B = 2,
                    .H = 3,
                    .Nq = 130,
                    .Nk = 140,
                    .Dk = 72,
                    .Dv = 64,
                    .elem = elem,
                    .layout = layout});
}

TEST(Hopper, HeadsMayShareTheirKeys) {
  const Case c{.B = 2,
               .H = 3,
               .Nq = 70,
               .Nk = 140,
               .Dk = 64,
               .Dv = 64,
               .need = {true, false, false, false},
               .shared_keys = true,
               .hopper = true};
  Call call(c);
  const Result wanted = call.reference(true), forward = call.forward(), backward = call.backward();
  EXPECT_LE(distance(forward.out, wanted.out), bound(c));
  EXPECT_LE(distance(backward.dq, wanted.dq), 2 * bound(c));
}

TEST(Hopper, LargeScores) {
  for (const Elem elem : kElems)
    expect_right({.Nq = 70, .Nk = 200, .Dk = 64, .Dv = 64, .elem = elem, .scale = 2});
}

TEST(Hopper, ANaNThatMattersIsNotHidden) {
  Case c{.Nq = 130, .Nk = 140, .Dk = 64, .Dv = 64, .scale = NAN, .hopper = true};
  for (const double x : Call(c).forward().out) EXPECT_TRUE(std::isnan(x));
}

TEST(Hopper, OnlyTheGradientsAskedForAreComputed) {
  const Case all{
      .B = 2, .H = 2, .Nq = 70, .Nk = 140, .Dk = 64, .Dv = 40, .dropout_p = 0.1, .hopper = true};
  Call every(all);
  every.forward();
  const Result wanted = every.backward();
  for (std::size_t one = 0; one < 3; ++one) {
    Case c = all;
    c.need = {};
    c.need[one] = true;
    Call call(c);
    call.forward();
    const Result got = call.backward();
    EXPECT_EQ(got.dq, one == 0 ? wanted.dq : std::vector<double>());
    EXPECT_EQ(got.dk, one == 1 ? wanted.dk : std::vector<double>());
    EXPECT_EQ(got.dv, one == 2 ? wanted.dv : std::vector<double>());
  }
}

TEST(Hopper, TheOrderInWhichThreadsRunChangesNothing) {
  for (const std::int64_t d : {64, 128}) {
    const Case c{.B = 2,
                 .H = 2,
                 .Nq = 200,
                 .Nk = 420,
                 .Dk = d,
                 .Dv = d,
                 .elem = Elem::bf16,
                 .causal = d == 128,
                 .len_k = {420, 300},
                 .dropout_p = 0.1,
                 .poison = true,
                 .hopper = true};
    expect_same_in_every_order(c, 5);
  }
}

TEST(Hopper, IsTheFormulaForRandomCalls) {
  const std::uint32_t begin = 20261;
  for (std::uint32_t seed = begin; seed < begin + 16; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](int n) {
      return static_cast<int>(random() % static_cast<std::uint32_t>(n));
    };
    Case c{.B = 1 + below(3),
           .H = 1 + below(3),
           .Nq = 1 + below(280),
           .Nk = 1 + below(280),
           .Dk = 8 + 8 * below(16),
           .Dv = 8 + 8 * below(16),
           .elem = kElems[seed % 2],
           .causal = below(3) == 0,
           .layout = std::array{Layout::bhnd, Layout::bnhd, Layout::rows}[seed % 3],
           .len64 = below(2) == 0,
           .seed = seed};
    if (below(2)) c.dropout_p = 0.2;
    draw_lengths(c, below);
    emulate::set_order(seed % 4);
    expect_right(c);
  }
  emulate::set_order(0);
}

// --- Which calls they take -------------------------------------------------------------------------------------------

constexpr std::int64_t kLong = kHopperLength;

/// The paths of forward and backward, without running either where the Hopper kernels would.
std::string path_of(const Case& c) {
  Call call(c);
  const std::string forward = call.path_of(Pass::forward), backward = call.path_of(Pass::backward);
  return forward == backward ? forward : forward + " / " + backward;
}

TEST(Hopper, LongSequencesOn90Alone) {
  const Case c{.Nq = kLong, .Nk = kLong, .Dk = 64, .Dv = 64, .sm = 90};
  EXPECT_EQ(path_of(c), "sm90 wgmma f16");
  const auto with = [&](auto change) {
    Case other = c;
    change(other);
    return path_of(other);
  };
  EXPECT_EQ(with([](Case& x) { x.elem = Elem::bf16; }), "sm90 wgmma bf16");
  EXPECT_EQ(with([](Case& x) { x.Dk = 128, x.Dv = 8; }), "sm90 wgmma f16");
  EXPECT_EQ(with([](Case& x) { x.causal = true; }), "sm90 wgmma f16");
  EXPECT_EQ(with([](Case& x) { x.len_q = x.len_k = {5}; }), "sm90 wgmma f16");
  EXPECT_EQ(with([](Case& x) { x.dropout_p = 0.1; }), "sm90 wgmma f16");
  EXPECT_EQ(with([](Case& x) { x.H = 2, x.layout = Layout::bnhd; }), "sm90 wgmma f16");
  for (const int sm : {80, 86, 89, 100, 120})
    EXPECT_EQ(with([&](Case& x) { x.sm = sm; }), "sm80 mma f16");
}

TEST(Hopper, WhatTheyDoNotTakeGoesToTheOthersWithAReason) {
  const Case c{.Nq = kLong, .Nk = kLong, .Dk = 64, .Dv = 64, .sm = 90};
  const auto with = [&](auto change) {
    Case other = c;
    change(other);
    return path_of(other);
  };
  const std::string few = "sm80 mma f16 (few positions)", width = "sm80 mma f16 (width of heads)",
                    strides = "sm80 mma f16 (strides)", added = "sm80 mma f16 (mask or bias)";
  EXPECT_EQ(with([](Case& x) { --x.Nq; }), few);
  EXPECT_EQ(with([](Case& x) { --x.Nk; }), few);
  EXPECT_EQ(with([](Case& x) { x.Dk = 136; }), width);
  EXPECT_EQ(with([](Case& x) { x.Dv = 60; }), width);
  EXPECT_EQ(with([](Case& x) { x.layout = Layout::gaps; }), strides);
  EXPECT_EQ(with([](Case& x) { x.layout = Layout::bhdn; }), strides);
  EXPECT_EQ(with([](Case& x) { x.mask = {false, false, false, true}; }), added);
  EXPECT_EQ(with([](Case& x) { x.bias = {false, false, true, true}; }), added);
  EXPECT_EQ(with([](Case& x) { x.scale = -1; }), "sm80 mma f16 (scale)");
  EXPECT_EQ(with([](Case& x) { x.elem = Elem::bf16, x.Dk = 4; }), "sm80 mma bf16 (width of heads)");
  EXPECT_EQ(with([](Case& x) { x.elem = Elem::f32; }), "sm80 mma 3xtf32");
}

#if !defined(FOVEA_ON_GPU)
TEST(Hopper, WhatTheDriverRefusesGoesToTheOthersToo) {
  const Case c{.Nq = kLong, .Nk = kLong, .Dk = 8, .Dv = 8, .sm = 90};
  Call call(c);
  emulate::refuse_maps(true);
  const Result wanted = call.reference(true), forward = call.forward();
  EXPECT_EQ(call.path(), "sm80 mma f16 (the driver refuses a tensor map)");
  const Result backward = call.backward();
  emulate::refuse_maps(false);
  EXPECT_EQ(call.path(), "sm80 mma f16 (the driver refuses a tensor map)");
  EXPECT_LE(distance(forward.out, wanted.out), bound(c));
  EXPECT_LE(distance(backward.dq, wanted.dq), 2 * bound(c));
  EXPECT_LE(distance(backward.dk, wanted.dk), 2 * bound(c));
}
#endif

TEST(Hopper, ALongCallWithSumsOfItsWeights) {
  const Case c{.Nq = kLong,
               .Nk = kLong + 5,
               .Dk = 64,
               .Dv = 64,
               .elem = Elem::bf16,
               .col_sum = true,
               .avg_map = true,
               .sm = 90};
  Call call(c);
  const Result wanted = call.reference(true), forward = call.forward();
  EXPECT_EQ(call.path(), "sm90 wgmma bf16");
  EXPECT_LE(distance(forward.out, wanted.out), bound(c));
  EXPECT_LE(distance(forward.col_sum, wanted.col_sum), 1e-5);
  EXPECT_LE(distance(forward.avg_map, wanted.avg_map), 1e-5);
  const Result backward = call.backward();
  EXPECT_EQ(call.path(), "sm90 wgmma bf16");
  EXPECT_LE(distance(backward.dq, wanted.dq), 2 * bound(c));
  EXPECT_LE(distance(backward.dk, wanted.dk), 2 * bound(c));
  EXPECT_LE(distance(backward.dv, wanted.dv), 2 * bound(c));
}

}  // namespace
}  // namespace fovea::cuda::test
