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
  /// Queries first to last of a head. `slab`: where their sums for the keys are left, as many floats as slab_room says; null:
  /// these are all the queries, and dK and dV are written. `dbias`: where the gradient of this head's bias adds up, with
  /// p.dbias's strides; null: not wanted.
  void (*backward)(const Problem&, std::int64_t b, std::int64_t h, std::int64_t first_query,
                   std::int64_t last_query, float* slab, float* dbias, float* memory);
  std::int64_t (*slab_room)(const Problem&);
  /// Adds the slabs of a head in their order, and writes dK and dV.
  void (*add_slabs)(const Problem&, std::int64_t b, std::int64_t h, float* slabs,
                    std::int64_t count);
};

extern const Kernels avx512_bf16, avx512, avx2, portable;

}  // namespace fovea::attention
