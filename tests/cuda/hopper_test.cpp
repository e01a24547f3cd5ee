// The Hopper kernels, executed by the emulator, against the plain formula in double; and which calls they take.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "cuda/call.h"
#include "cuda/device.h"

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

}  // namespace
}  // namespace fovea::cuda::test
