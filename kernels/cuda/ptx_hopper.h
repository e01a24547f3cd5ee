// The instructions of sm_90a that the Hopper kernels use, one function each.
#pragma once

#include <cuda.h>

#include "cuda/ptx.h"

namespace fovea::cuda {

/// Where boxes of a tensor lie; encode_map writes it.
using TensorMap = CUtensorMap;
/// An mbarrier in shared memory: a phase ends when all arrivals and all expected bytes have come.
using Barrier = std::uint64_t;

FOVEA_DEVICE void sync_warp() { __syncwarp(); }

FOVEA_DEVICE void barrier_init(Barrier* barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(arrivals)
               : "memory");
}
/// After the last barrier_init, by the thread that did it, before sync_block: the copy engine sees the barriers too.
FOVEA_DEVICE void barriers_ready() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
FOVEA_DEVICE void barrier_arrive(Barrier* barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier))
               : "memory");
}
/// Arrives, and adds bytes that this phase waits for.
FOVEA_DEVICE void barrier_expect(Barrier* barrier, int bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
      "r"(bytes)
      : "memory");
}
/// Until the phase of this parity has ended; the one before the first has parity 1 and has.
FOVEA_DEVICE void barrier_wait(Barrier* barrier, std::uint32_t parity) {
  std::uint32_t done;
  do {
    asm volatile(
        "{\n.reg .pred done;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%1], %2;\n"
        "selp.u32 %0, 1, 0, done;\n}"
        : "=r"(done)
        : "r"(shared_address(barrier)), "r"(parity)
        : "memory");
  } while (!done);
}

/// Starts a copy of the map's box at channel, position, head, batch to `to`, swizzled by 128 bytes; what lies outside is zero.
FOVEA_DEVICE void load_box(void* to, const TensorMap& map, int channel, int position, int head,
                           int batch, Barrier* barrier) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(shared_address(to)),
      "l"(&map), "r"(shared_address(barrier)), "r"(channel), "r"(position), "r"(head), "r"(batch)
      : "memory");
}

/// Between this thread's writes to shared memory and the products that read them.
FOVEA_DEVICE void fence_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// By every warp of a warpgroup.
template <int Registers>
FOVEA_DEVICE void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Registers));
}
template <int Registers>
FOVEA_DEVICE void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Registers));
}

/// Between ordinary uses of the registers of products and the products.
FOVEA_DEVICE void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
FOVEA_DEVICE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int Pending>
FOVEA_DEVICE void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}
/// The compiler knows nothing of products under way: it moves no use of these registers across this. Before wgmma_fence and
/// after wgmma_wait.
template <int N>
FOVEA_DEVICE void settle(float (&d)[N][4]) {
#pragma unroll
  for (int n = 0; n < N; ++n)
    asm volatile("" : "+f"(d[n][0]), "+f"(d[n][1]), "+f"(d[n][2]), "+f"(d[n][3])::"memory");
}
template <int N>
FOVEA_DEVICE void settle(std::uint32_t (&a)[N][4]) {
#pragma unroll
  for (int n = 0; n < N; ++n)
    asm volatile("" : "+r"(a[n][0]), "+r"(a[n][1]), "+r"(a[n][2]), "+r"(a[n][3])::"memory");
}

// d = a b or d += a b on a warpgroup, 16 deep, d 64 x 8 N. `a` and `b` are descriptors of tiles whose rows are those of a
// and columns of b; or `a` is in registers, and the rows of b's tile are the rows of b.
#define FOVEA_D(n) "+f"(d[n][0]), "+f"(d[n][1]), "+f"(d[n][2]), "+f"(d[n][3])
#define FOVEA_D8(n)                                                                           \
  FOVEA_D(n), FOVEA_D(n + 1), FOVEA_D(n + 2), FOVEA_D(n + 3), FOVEA_D(n + 4), FOVEA_D(n + 5), \
      FOVEA_D(n + 6), FOVEA_D(n + 7)
#define FOVEA_LIST32                                                                      \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, " \
  "%19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define FOVEA_LIST64                                                                        \
  FOVEA_LIST32                                                                              \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, " \
  "%49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define FOVEA_WGMMA(name, tiles, shape, types, list, outputs, x0, x1, x2, x3, x4, x5)            \
  FOVEA_DEVICE void name(float(&d)[tiles][4], std::uint64_t a, std::uint64_t b, bool add) {      \
    asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, " x2                                      \
                 ", 0;\n"                                                                        \
                 "wgmma.mma_async.sync.aligned." shape ".f32." types " {" list "}, " x0 ", " x1  \
                 ", add, 1, 1, 0, 0;\n}"                                                         \
                 : outputs                                                                       \
                 : "l"(a), "l"(b), "r"(static_cast<int>(add)));                                  \
  }                                                                                              \
  FOVEA_DEVICE void name(float(&d)[tiles][4], const std::uint32_t(&a)[4], std::uint64_t b,       \
                         bool add) {                                                             \
    asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, " x5                                      \
                 ", 0;\n"                                                                        \
                 "wgmma.mma_async.sync.aligned." shape ".f32." types " {" list "}, {" x0 ", " x1 \
                 ", " x2 ", " x3 "}, " x4 ", add, 1, 1, 1;\n}"                                   \
                 : outputs                                                                       \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b),                           \
                   "r"(static_cast<int>(add)));                                                  \
  }
#define FOVEA_OUTPUTS8 FOVEA_D8(0)
#define FOVEA_OUTPUTS16 FOVEA_D8(0), FOVEA_D8(8)
#define FOVEA_WGMMAS(name, types)                                                                \
  FOVEA_WGMMA(name, 8, "m64n64k16", types, FOVEA_LIST32, FOVEA_OUTPUTS8, "%32", "%33", "%34",    \
              "%35", "%36", "%37")                                                               \
  FOVEA_WGMMA(name, 16, "m64n128k16", types, FOVEA_LIST64, FOVEA_OUTPUTS16, "%64", "%65", "%66", \
              "%67", "%68", "%69")
FOVEA_WGMMAS(wgmma_f16, "f16.f16")
FOVEA_WGMMAS(wgmma_bf16, "bf16.bf16")
#undef FOVEA_WGMMAS
#undef FOVEA_OUTPUTS16
#undef FOVEA_OUTPUTS8
#undef FOVEA_WGMMA
#undef FOVEA_LIST64
#undef FOVEA_LIST32
#undef FOVEA_D8
#undef FOVEA_D

}  // namespace fovea::cuda
