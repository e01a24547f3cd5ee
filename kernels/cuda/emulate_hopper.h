// The machine of ptx_hopper.h on a CPU, for tests. What is asynchronous on the GPU is as late or as early here as the GPU
// allows: boxes arrive when somebody waits for them (or at once, as set_order says), and what a product gave is seen after
// the wait alone. It is an error to touch registers or shared memory of a product under way.
#pragma once

#include "cuda/emulate.h"

namespace fovea::cuda {

/// A tensor of 16-bit elements, the innermost dimension first; strides in bytes.
struct TensorMap {
  const unsigned char* base = nullptr;
  std::int64_t size[4] = {}, stride[4] = {};
  int box[4] = {};
};
using Barrier = std::uint64_t;

namespace emulate {

constexpr std::uint32_t kSharedBase = 1024;  // where the shared memory begins for its own addresses

/// Whether the driver takes it, by the documentation of cuTensorMapEncodeTiled with 128-byte swizzle.
bool is_map(const TensorMap& map);
/// From now on it takes none.
void refuse_maps(bool all);

std::uint32_t shared_address(const void* p);
void barrier_init(Barrier* barrier, int arrivals);
void barriers_ready();
void barrier_arrive(Barrier* barrier, int bytes);
void barrier_wait(Barrier* barrier, std::uint32_t parity);
void load_box(void* to, const TensorMap& map, const int (&at)[4], Barrier* barrier);
/// Boxes and products see the shared memory as of the last fence_shared, and what boxes brought.
void fence_shared();
std::uint16_t fenced_element(std::uint32_t address);
void set_registers(int registers, bool more);

/// How a warp's part of a product is asked for.
struct Product {
  float* d;                // [tiles][4], this lane's
  int tiles;               // of eight columns
  const std::uint32_t* a;  // in registers; null: rows of the tile at a_tile
  std::uint64_t a_tile, b_tile;
  bool b_rows;  // the rows of b's tile are the rows of b
  bool add, brain;
};
void wgmma(const Product& product);
void wgmma_fence();
void wgmma_commit();
void wgmma_wait(int pending);

}  // namespace emulate

inline std::uint32_t shared_address(const void* p) { return emulate::shared_address(p); }
void sync_warp();

inline void barrier_init(Barrier* barrier, int arrivals) {
  emulate::barrier_init(barrier, arrivals);
}
inline void barriers_ready() { emulate::barriers_ready(); }
inline void barrier_arrive(Barrier* barrier) { emulate::barrier_arrive(barrier, 0); }
inline void barrier_expect(Barrier* barrier, int bytes) { emulate::barrier_arrive(barrier, bytes); }
inline void barrier_wait(Barrier* barrier, std::uint32_t parity) {
  emulate::barrier_wait(barrier, parity);
}
inline void load_box(void* to, const TensorMap& map, int channel, int position, int head, int batch,
                     Barrier* barrier) {
  emulate::load_box(to, map, {channel, position, head, batch}, barrier);
}
inline void fence_shared() { emulate::fence_shared(); }

template <int Registers>
void give_registers() {
  emulate::set_registers(Registers, false);
}
template <int Registers>
void take_registers() {
  emulate::set_registers(Registers, true);
}

inline void wgmma_fence() { emulate::wgmma_fence(); }
inline void wgmma_commit() { emulate::wgmma_commit(); }
template <int Pending>
void wgmma_wait() {
  emulate::wgmma_wait(Pending);
}
template <class T, int N>
void settle(T (&)[N][4]) {}

#define FOVEA_WGMMA(name, brain)                                                      \
  template <int N>                                                                    \
  void name(float(&d)[N][4], std::uint64_t a, std::uint64_t b, bool add) {            \
    emulate::wgmma({&d[0][0], N, nullptr, a, b, false, add, brain});                  \
  }                                                                                   \
  template <int N>                                                                    \
  void name(float(&d)[N][4], const std::uint32_t(&a)[4], std::uint64_t b, bool add) { \
    emulate::wgmma({&d[0][0], N, a, 0, b, true, add, brain});                         \
  }
FOVEA_WGMMA(wgmma_f16, false)
FOVEA_WGMMA(wgmma_bf16, true)
#undef FOVEA_WGMMA

}  // namespace fovea::cuda
