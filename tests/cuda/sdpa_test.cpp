// The CUDA kernels, executed by the emulator, against the plain formula in double.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "cuda/call.h"
#include "cuda/device.h"

namespace fovea::cuda::test {
namespace {

constexpr std::array<Elem, 3> kElems = {Elem::f16, Elem::bf16, Elem::f32};
constexpr std::array<bool, 4> kFull = {true, true, true, true};

std::array<bool, 4> pattern(int bits) {
  return {(bits & 8) != 0, (bits & 4) != 0, (bits & 2) != 0, (bits & 1) != 0};
}

/// An lse is a float too: what its rounding lost is missing where weights are computed anew.
double of_lse(const Case& c) { return 1e-7 * std::fabs(c.bias_offset); }

/// Relative error in the Euclidean norm that the rounding of the products explains.
double bound(const Case& c) {
  if (c.elem == Elem::f16) return 1.5e-3;
  if (c.elem == Elem::bf16) return 8e-3;
  return (c.tf32 ? 1e-3 : 1e-5) + of_lse(c);
}

void expect_right(Case c) {
  SCOPED_TRACE(c.name());
  c.poison = true;
  c.col_sum = c.avg_map = true;
  try {
    Call call(c);
    const Result wanted = call.reference(true), forward = call.forward(),
                 backward = call.backward();
    const double most = bound(c), of_weights = c.elem == Elem::f32 ? most : 1e-5 + of_lse(c);
    EXPECT_LE(distance(forward.out, wanted.out), most);
    EXPECT_LE(distance(forward.lse, wanted.lse), c.tf32 ? most : 1e-5);
    EXPECT_LE(distance(forward.col_sum, wanted.col_sum), of_weights);
    EXPECT_LE(distance(forward.avg_map, wanted.avg_map), of_weights);
    EXPECT_LE(distance(backward.dq, wanted.dq), 2 * most);
    EXPECT_LE(distance(backward.dk, wanted.dk), 2 * most);
    EXPECT_LE(distance(backward.dv, wanted.dv), 2 * most);
    if (!c.bias) return;
    if ((*c.bias)[3]) {
      EXPECT_LE(distance(backward.dbias, wanted.dbias),
                c.bias_elem == Elem::f32 ? 2 * most : 2 * most + 4e-3);
    } else {  // a bias that all keys share changes nothing
      for (const double x : backward.dbias)
        EXPECT_LE(std::fabs(x), most * static_cast<double>(c.B * c.H * c.Nq));
    }
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

TEST(CudaSdpa, IsTheFormulaForEveryLength) {
  std::uint32_t seed = 0;
  for (const Elem elem : kElems)
    for (const std::int64_t n : {1, 7, 16, 17, 49, 63, 64, 65, 113, 197})
      expect_right({.Nq = n, .Nk = n, .Dk = 32, .Dv = 32, .elem = elem, .seed = ++seed});
}

TEST(CudaSdpa, IsTheFormulaForEveryHeadDimension) {
  for (const Elem elem : kElems)
    for (const std::int64_t d : {8, 16, 24, 32, 40, 64, 72, 128, 136, 256})
      for (const std::int64_t n : {35, 67})  // in one tile, and not
        expect_right({.Nq = 17, .Nk = n, .Dk = d, .Dv = d, .elem = elem});
}

TEST(CudaSdpa, KeysAndValuesMayDifferInWidthAndQueriesAndKeysInNumber) {
  for (const Elem elem : kElems) {
    expect_right({.B = 2, .Nq = 65, .Nk = 7, .Dk = 8, .Dv = 136, .elem = elem});
    expect_right({.H = 2, .Nq = 3, .Nk = 129, .Dk = 72, .Dv = 16, .elem = elem});
    expect_right({.H = 2, .Nq = 1, .Nk = 1, .Dk = 256, .Dv = 8, .elem = elem});
  }
}

TEST(CudaSdpa, WidthsThatAreNoMultipleOfEightAreReadByElement) {
  for (const Elem elem : kElems)
    for (const std::int64_t d : {1, 3, 13, 60})
      for (const std::int64_t n : {33, 66})
        expect_right({.Nq = 18, .Nk = n, .Dk = d, .Dv = d + 2, .elem = elem});
}

TEST(CudaSdpa, OneProductOfTf32) {
  for (const std::int64_t n : {17, 64, 113})
    expect_right({.Nq = n, .Nk = n + 3, .Dk = 40, .Dv = 24, .elem = Elem::f32, .tf32 = true});
}

// Each product cuts what it adds to its accumulator: half a unit in the last place, always toward zero.
TEST(CudaSdpa, LongRowsOfFp32LoseNoMoreThanFp32Does) {
  for (const std::int64_t n : {2048, 4096}) {
    const auto expect_exact = [](const Case& c) {
      SCOPED_TRACE(c.name());
      Call call(c);
      const Result wanted = call.reference(true), forward = call.forward(),
                   backward = call.backward();
      EXPECT_LE(distance(forward.out, wanted.out), 1e-6);
      EXPECT_LE(distance(forward.lse, wanted.lse), 1e-6);
      EXPECT_LE(distance(backward.dq, wanted.dq), 1e-6);
      EXPECT_LE(distance(backward.dk, wanted.dk), 1e-6);
      EXPECT_LE(distance(backward.dv, wanted.dv), 1e-6);
    };
    expect_exact({.Nq = 16, .Nk = n, .Dk = 32, .Dv = 32, .elem = Elem::f32});
    expect_exact({.Nq = n, .Nk = 16, .Dk = 32, .Dv = 32, .elem = Elem::f32});
  }
}

TEST(CudaSdpa, AnyLayoutIsReadAndWrittenInPlace) {
  for (const Elem elem : kElems)
    for (const Layout layout : {Layout::bhnd, Layout::bnhd, Layout::bhdn, Layout::gaps})
      for (const std::int64_t n : {40, 70})
        expect_right({.B = 2,
                      .H = 3,
                      .Nq = 33,
                      .Nk = n,
                      .Dk = 16,
                      .Dv = 24,
                      .elem = elem,
                      .layout = layout});
}

TEST(CudaSdpa, BiasMayRepeatOverAnyDimensionAndItsGradientIsSummedThere) {
  for (int bits = 0; bits < 16; ++bits) {
    expect_right({.B = 2, .H = 3, .Nq = 18, .Nk = 35, .elem = Elem::f32, .bias = pattern(bits)});
    expect_right({.B = 3,
                  .H = 2,
                  .Nq = 70,
                  .Nk = 35,
                  .Dk = 8,
                  .Dv = 8,
                  .bias_elem = Elem::bf16,
                  .bias = pattern(bits),
                  .dropout_p = 0.2});
  }
}

TEST(CudaSdpa, MaskMayRepeatOverAnyDimensionAndCombinesWithEverything) {
  for (int bits = 0; bits < 16; ++bits)
    for (const bool causal : {false, true})
      expect_right({.B = 2,
                    .H = 2,
                    .Nq = 33,
                    .Nk = 37,
                    .Dk = 8,
                    .Dv = 8,
                    .elem = causal ? Elem::f16 : Elem::f32,
                    .causal = causal,
                    .bias = pattern((15 - bits) | 1),
                    .mask = pattern(bits),
                    .len_q = {20, 33},
                    .len_k = {37, 18},
                    .dropout_p = 0.25,
                    .seed = 3});
}

TEST(CudaSdpa, LengthsAreClampedAndMayBeOfEitherInteger) {
  for (const bool len64 : {false, true})
    expect_right({.B = 5,
                  .Nq = 20,
                  .Nk = 70,
                  .len_q = {20, 0, -3, 500, 7},
                  .len_k = {0, 70, 65, 1, 1000},
                  .len64 = len64});
}

TEST(CudaSdpa, CausalSkipsTilesButNoKey) {
  for (const Elem elem : kElems)
    for (const auto& [nq, nk] : {std::pair{130, 130}, std::pair{130, 40}, std::pair{40, 130}})
      expect_right({.Nq = nq, .Nk = nk, .Dk = 8, .Dv = 16, .elem = elem, .causal = true});
}

TEST(CudaSdpa, DropoutDependsOnWhereAWeightStandsOnly) {
  for (const Elem elem : kElems)
    for (const double p : {0.1, 0.5, 0.9})
      expect_right({.B = 2, .H = 2, .Nq = 65, .Nk = 70, .elem = elem, .dropout_p = p});
}

TEST(CudaSdpa, LargeAndHidingBiases) {
  for (const Elem elem : kElems)
    for (const double offset : {-120.0, 1000.0})
      for (const std::int64_t n : {64, 192})
        expect_right({.Nq = 20,
                      .Nk = n,
                      .elem = elem,
                      .bias = kFull,
                      .bias_offset = offset,
                      .bias_hides = true});
}

TEST(CudaSdpa, EmptySizes) {
  expect_right({.B = 0, .bias = kFull});
  expect_right({.H = 0, .bias = kFull});
  expect_right({.Nq = 0, .bias = pattern(0b0001)});
  expect_right({.Nk = 0, .bias = pattern(0b0010)});
}

TEST(CudaSdpa, AQueryThatSeesNothingGivesZerosAndAnInfiniteLse) {
  const Case c{.B = 2,
               .Nq = 20,
               .Nk = 20,
               .bias = kFull,
               .len_k = {0, 20},
               .bias_offset = -INFINITY,
               .poison = true};
  Call call(c);
  const Result forward = call.forward(), backward = call.backward();
  for (const double x : forward.out) EXPECT_EQ(x, 0);
  for (const double x : forward.lse) EXPECT_EQ(x, INFINITY);
  for (const auto* gradient : {&backward.dq, &backward.dk, &backward.dv, &backward.dbias})
    for (const double x : *gradient) EXPECT_EQ(x, 0);
}

TEST(CudaSdpa, ANaNThatMattersIsNotHidden) {
  Case c{.Nq = 20, .Nk = 20, .bias = kFull, .bias_offset = NAN};
  for (const double x : Call(c).forward().out) EXPECT_TRUE(std::isnan(x));
}

TEST(CudaSdpa, OnlyTheGradientsAskedForAreComputed) {
  for (const std::int64_t n : {40, 70}) {
    const Case all{
        .B = 2, .H = 2, .Nq = 20, .Nk = n, .Dv = 40, .bias = pattern(0b0111), .dropout_p = 0.1};
    Call every(all);
    every.forward();
    const Result wanted = every.backward();
    for (std::size_t one = 0; one < 4; ++one) {
      Case c = all;
      c.need = {};
      c.need[one] = true;
      Call call(c);
      call.forward();
      const Result got = call.backward();
      EXPECT_EQ(got.dq, one == 0 ? wanted.dq : std::vector<double>());
      EXPECT_EQ(got.dk, one == 1 ? wanted.dk : std::vector<double>());
      EXPECT_EQ(got.dv, one == 2 ? wanted.dv : std::vector<double>());
      EXPECT_EQ(got.dbias, one == 3 ? wanted.dbias : std::vector<double>());
    }
  }
}

TEST(CudaSdpa, TheOrderInWhichThreadsRunChangesNothing) {
  for (const Elem elem : kElems) {
    const Case c{.B = 1,
                 .H = 3,
                 .Nq = 70,
                 .Nk = 140,
                 .Dk = 24,
                 .Dv = 40,
                 .elem = elem,
                 .layout = elem == Elem::bf16 ? Layout::bhdn : Layout::bhnd,
                 .bias = pattern(0b0111),
                 .mask = kFull,
                 .dropout_p = 0.1,
                 .col_sum = true,
                 .avg_map = true};
    expect_same_in_every_order(c, 4);
  }
}

TEST(CudaSdpa, IsTheFormulaForRandomCalls) {
  const std::uint32_t begin = 20260;
  for (std::uint32_t seed = begin; seed < begin + 60; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](int n) {
      return static_cast<int>(random() % static_cast<std::uint32_t>(n));
    };
    Case c{.B = 1 + below(3),
           .H = 1 + below(3),
           .Nq = 1 + below(80),
           .Nk = 1 + below(80),
           .Dk = 1 + below(70),
           .Dv = 1 + below(70),
           .elem = kElems[seed % 3],
           .bias_elem = kElems[static_cast<std::size_t>(below(3))],
           .tf32 = below(2) == 0,
           .causal = below(3) == 0,
           .layout = static_cast<Layout>(below(4)),
           .len64 = below(2) == 0,
           .seed = seed};
    if (below(2)) c.Dk *= 8, c.Dk %= 72, c.Dk += 8;
    if (c.elem != Elem::f32) c.tf32 = false;
    if (below(2)) c.bias = pattern(below(16) | 1);
    if (below(2)) c.mask = pattern(below(16));
    if (below(2)) c.dropout_p = 0.2;
    c.bias_hides = below(4) == 0;
    draw_lengths(c, below);
    expect_right(c);
  }
}

}  // namespace
}  // namespace fovea::cuda::test
