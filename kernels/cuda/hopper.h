// The Hopper kernels of long sequences: which calls they take, and the calls. For sdpa.cu and the tests, which
// call the kernels themselves where a call is too short to be given to them.
#pragma once

#include "cuda/sdpa.h"

namespace fovea::cuda {

/// From so many queries and keys on they pay (an estimate: products, not memory, bound such calls).
constexpr std::int32_t kHopperLength = 768;

enum class Pass { forward, backward };

/// The path of a call that the Hopper kernels do not take, by type, with the reason; null: they take it.
struct Refusal {
  const char *f16, *bf16;
};
const Refusal* hopper_refuses(const SdpaArgs& a, Pass pass);
constexpr Refusal kRefusedByDriver = {"sm80 mma f16 (the driver refuses a tensor map)",
                                      "sm80 mma bf16 (the driver refuses a tensor map)"};

/// The kernels that a call is given to.
struct Choice {
  bool hopper;
  const char* path;
};
Choice choose(const SdpaArgs& a, Pass pass);

/// What the backward pass begins with, for every family.
int write_delta(const SdpaArgs& a);

/// An error of the next two: the driver refuses a tensor map, and nothing was started.
constexpr int kNoMap = -1;

// For what is not refused; out and lse, and after write_delta dq, dk and dv. T is f16 or bf16.
template <class T>
int hopper_forward(const SdpaArgs& a);
template <class T>
int hopper_backward(const SdpaArgs& a);

}  // namespace fovea::cuda
