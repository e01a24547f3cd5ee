// The machine of ptx.h on a CPU, for tests: every thread of a block is a fiber, barriers and warp instructions wait for the
// others, asynchronous copies arrive as early or as late as they may, and shared memory begins as NaN. The order in which fibers
// run is a setting: results that depend on it are a race.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#define FOVEA_DEVICE inline
#define FOVEA_BOTH inline

namespace fovea::cuda {
namespace emulate {

/// Runs `body(shared memory)` in every thread of every block. Throws std::logic_error on a deadlock, on warps whose lanes
/// disagree about the instruction, on copies nobody waited for and on writes behind the shared memory.
void run(std::int64_t blocks, int threads, int shared_bytes,
         const std::function<void(unsigned char*)>& body);

/// Of warps, and of lanes within: 0: ascending, 1: descending, else shuffled anew in every round; from 3 on some lanes fall
/// behind the others of their warp. Asynchronous copies arrive at once where it is odd, else when they are waited for.
void set_order(std::uint32_t seed);
std::uint32_t order();

// For emulated instructions: the run ends with `what`; the fiber goes on when `ready` holds.
[[noreturn]] void fail(const std::string& what);
void wait_until(const std::function<bool()>& ready);
void let_others_run();
struct Span {
  unsigned char* data;
  std::size_t bytes;
};
Span shared_memory();

// Before and after each block, in emulate_hopper.cpp.
void begin_asynchronous(int threads);
void end_asynchronous();

// Where the running fiber is.
int thread_index();
int thread_count();
std::int64_t block_index();
std::int64_t block_count();

void block_barrier();
void copy_async(void* to, const void* from, bool valid);
void copy_commit();
void copy_wait(int pending);

/// One instruction of a warp: every lane gives `in` words and takes `out` words, which `compute` fills when the last has come.
constexpr int kMaxWords = 10;
using Words = std::uint32_t[kMaxWords];
void collective(const std::uint32_t* in, int in_words, std::uint32_t* out, int out_words,
                void (*compute)(const Words (&in)[32], Words (&out)[32]));

/// c + the sum of exact products as the tensor cores add them: every addend is cut two bits below the last place that the
/// largest has as a float, and the sum is cut to a float. Nothing is rounded up, so many sums lose what many terms have.
float sum_of_products(float c, const double* products, int count);

void mma_f16(const Words (&in)[32], Words (&out)[32]);
void mma_bf16(const Words (&in)[32], Words (&out)[32]);
void mma_tf32(const Words (&in)[32], Words (&out)[32]);
void load_matrices(std::uint32_t (&r)[4], const void* row, bool transposed);
void check_shared(const void* p, const char* what);

float float_of_half(std::uint16_t bits);
std::uint16_t half_of_float(float x);
std::uint16_t bfloat_of_float(float x);

}  // namespace emulate

inline float float_of_bits(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
inline std::uint32_t bits_of_float(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline int thread_index() { return emulate::thread_index(); }
inline int thread_count() { return emulate::thread_count(); }
inline std::int64_t block_index() { return emulate::block_index(); }
inline std::int64_t block_count() { return emulate::block_count(); }
inline void sync_block() { emulate::block_barrier(); }

template <int Mask>
void swap_lanes(const emulate::Words (&in)[32], emulate::Words (&out)[32]) {
  for (int l = 0; l < 32; ++l) out[l][0] = in[l ^ Mask][0];
}
inline std::uint32_t shuffle_xor(std::uint32_t x, int mask) {
  std::uint32_t y = 0;
  emulate::collective(&x, 1, &y, 1,
                      mask == 1   ? swap_lanes<1>
                      : mask == 2 ? swap_lanes<2>
                      : mask == 4 ? swap_lanes<4>
                      : mask == 8 ? swap_lanes<8>
                                  : swap_lanes<16>);
  return y;
}
inline float shuffle_xor(float x, int mask) {
  return float_of_bits(shuffle_xor(bits_of_float(x), mask));
}

inline float exp2_fast(float x) { return std::exp2(x); }
inline float log2_of(float x) { return std::log2(x); }
inline float larger(float a, float b) { return std::fmax(a, b); }
inline float float_of_half(std::uint16_t bits) { return emulate::float_of_half(bits); }
inline std::uint32_t half_pair(float low, float high) {
  return emulate::half_of_float(low) | static_cast<std::uint32_t>(emulate::half_of_float(high))
                                           << 16;
}
inline std::uint32_t bfloat_pair(float low, float high) {
  return emulate::bfloat_of_float(low) | static_cast<std::uint32_t>(emulate::bfloat_of_float(high))
                                             << 16;
}
/// Rounded to ten bits, ties away from zero.
inline std::uint32_t tf32_of(float x) {
  return std::isfinite(x) ? (bits_of_float(x) + 0x1000U) & ~0x1FFFU : bits_of_float(x);
}

inline void copy_async(void* to, const void* from, bool valid) {
  emulate::copy_async(to, from, valid);
}
inline void copy_commit() { emulate::copy_commit(); }
template <int Pending>
void copy_wait() {
  emulate::copy_wait(Pending);
}
inline void load_matrices(std::uint32_t (&r)[4], const void* row) {
  emulate::load_matrices(r, row, false);
}
inline void load_matrices_transposed(std::uint32_t (&r)[4], const void* row) {
  emulate::load_matrices(r, row, true);
}

#define FOVEA_MMA(name)                                                                    \
  inline void name(float(&d)[4], const std::uint32_t(&a)[4], const std::uint32_t(&b)[2]) { \
    std::uint32_t in[10] = {a[0], a[1], a[2], a[3], b[0], b[1]};                           \
    for (int e = 0; e < 4; ++e) in[6 + e] = bits_of_float(d[e]);                           \
    std::uint32_t out[4] = {};                                                             \
    emulate::collective(in, 10, out, 4, emulate::name);                                    \
    for (int e = 0; e < 4; ++e) d[e] = float_of_bits(out[e]);                              \
  }
FOVEA_MMA(mma_f16)
FOVEA_MMA(mma_bf16)
FOVEA_MMA(mma_tf32)
#undef FOVEA_MMA

}  // namespace fovea::cuda
