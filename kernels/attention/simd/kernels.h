// What a file that is compiled for one instruction set offers.
#pragma once

#include <cstdint>

#include "attention/problem.h"

namespace fovea::attention {

/// Kernels of one head for float and bf16. `memory`: as many floats as `forward_room` or `backward_room` say, on a boundary
/// of 64 bytes, one per thread.
struct Kernels {
  std::int64_t (*forward_room)(const Problem&);
  std::int64_t (*backward_room)(const Problem&);
  void (*forward)(const Problem&, std::int64_t b, std::int64_t h, std::int64_t first_query,
                  std::int64_t last_query, float* memory);
  void (*backward)(const Problem&, std::int64_t b, std::int64_t h, float* dbias, float* memory);
};

extern const Kernels avx512_bf16, avx512, avx2, portable;

}  // namespace fovea::attention
