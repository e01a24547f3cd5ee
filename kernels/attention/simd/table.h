// The kernels of the instruction set that this file is compiled for, as a table.
#pragma once

#include "attention/simd/backward.h"
#include "attention/simd/forward.h"
#include "attention/simd/kernels.h"

namespace fovea::attention::FOVEA_ISA {
namespace {

template <class Room>
std::int64_t room(const Problem& p) {
  Arena arena;
  Room(p, arena);
  return arena.used;
}
void forward(const Problem& p, std::int64_t b, std::int64_t h, std::int64_t first,
             std::int64_t last, float* memory) {
  if (p.elem == Elem::f32) return forward_head<float, Floats<float>>(p, b, h, first, last, memory);
#ifdef FOVEA_DOT
  if (Pairs::fits(p)) return forward_head<Bf16, Pairs>(p, b, h, first, last, memory);
#endif
  forward_head<Bf16, Floats<Bf16>>(p, b, h, first, last, memory);
}
void backward(const Problem& p, std::int64_t b, std::int64_t h, std::int64_t first,
              std::int64_t last, float* slab, float* dbias, float* memory) {
  if (p.elem == Elem::f32)
    return backward_head<float, Floats<float>>(p, b, h, first, last, slab, dbias, memory);
#ifdef FOVEA_DOT
  if (Pairs::fits(p)) return backward_head<Bf16, Pairs>(p, b, h, first, last, slab, dbias, memory);
#endif
  backward_head<Bf16, Floats<Bf16>>(p, b, h, first, last, slab, dbias, memory);
}
void add_slabs(const Problem& p, std::int64_t b, std::int64_t h, float* slabs, std::int64_t count) {
  if (p.elem == Elem::f32) return add_slabs_of_head<float>(p, b, h, slabs, count);
  add_slabs_of_head<Bf16>(p, b, h, slabs, count);
}
constexpr Kernels kKernels = {room<ForwardRoom>, room<BackwardRoom>, forward,
                              backward,          slab_room,          add_slabs};

}  // namespace
}  // namespace fovea::attention::FOVEA_ISA
