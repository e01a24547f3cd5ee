// What the emulator takes on trust, asked of a GPU: one contract a process, since a wrong one may hang.
//
//   cuda_contracts alive|map|mma|round|tma|rows|depth|clear|rate
//
// All operands are small whole numbers: a result is the wanted one or it is wrong. No LibTorch.
#include "cuda/contracts.h"

#include <cmath>
#include <functional>
#include <map>

namespace fovea::cuda {
#if defined(__CUDACC__)
namespace emulate {
float sum_of_products(float c, const double* products, int count);
}
#endif
namespace {

// --- Products of a warp ---------------------------------------------------------------------------------------------

template <class M>
struct Products {
  using T = typename M::Element;
  static constexpr int kThreads = kWarp, kPitch = 32 + M::kPad,
                       kBytes = 32 * kPitch * int{sizeof(T)};
  [[maybe_unused]] static constexpr bool kHopper = false;

  static FOVEA_DEVICE void run(const Asked& asked, unsigned char* shared) {
    auto* const x = reinterpret_cast<T*>(shared);
    auto* const y = reinterpret_cast<T*>(shared + kBytes);
    for (int i = lane(); i < 1024; i += kWarp) {
      x[i / 32 * kPitch + i % 32] = Float<T>::store(asked.x[i]);
      y[i / 32 * kPitch + i % 32] = Float<T>::store(asked.y[i]);
    }
    sync_block();
    float p[4][4] = {}, o[4][4] = {}, t[4][4] = {};
    product<M>(p, x, y, kPitch, 32);
    weighted_sum<M>(o, p, y, kPitch, 32);
    transposed_sum<M>(t, x, kPitch, y, kPitch, 32);
    auto* const out = static_cast<float*>(asked.out);
    for (int n = 0; n < 4; ++n)
      for (int e = 0; e < 4; ++e) {
        const int at = row_of(e) * 32 + column_of(n, e);
        out[at] = p[n][e], out[512 + at] = o[n][e], out[1024 + at] = t[n][e];
      }
  }
};
template <class M>
void products_of_a_warp(const char* name) {
  const Array<float> x(1024), y(1024), out(1536);
  for (int i = 0; i < 1024; ++i) x.data[i] = number(i, 5) / 4, y.data[i] = number(i, 6) / 4;
  for (const Array<float>* a : {&x, &y})  // of -1, 0 and 1: bf16 holds what is summed
    for (int i = 0; i < 1024; ++i) a->data[i] = std::nearbyint(a->data[i]);
  Asked asked;
  asked.x = x.data, asked.y = y.data, asked.out = out.data;
  ask<Products<M>>(asked, 1, 2 * Products<M>::kBytes);
  int wrong[3] = {};
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 32; ++j) {
      float product = 0, sum = 0, across = 0;
      for (int c = 0; c < 32; ++c) {
        product += x.data[i * 32 + c] * y.data[j * 32 + c];
        sum += out.data[i * 32 + c] * y.data[c * 32 + j];
        across += x.data[c * 32 + i] * y.data[c * 32 + j];
      }
      const float wanted[3] = {product, sum, across};
      for (int k = 0; k < 3; ++k) wrong[k] += out.data[512 * k + i * 32 + j] != wanted[k];
    }
  const char* const names[3] = {" product", " weighted sum", " sum over rows"};
  for (int k = 0; k < 3; ++k) report(std::string(name) + names[k], wrong[k], 512);
}

/// z and eight products x y, for each block.
struct OneSum {
  static constexpr int kThreads = kWarp;
  [[maybe_unused]] static constexpr bool kHopper = false;

  static FOVEA_DEVICE void run(const Asked& asked, unsigned char*) {
    float d[4] = {asked.z[block_index()], 0, 0, 0};
    // Row 0 of a: lane l gives k l and k l + 4; column 0 of b likewise.
    std::uint32_t a[4] = {}, b[2] = {};
    if (lane() < 4)
      for (int half = 0; half < 2; ++half) {
        const std::int64_t at = block_index() * 8 + lane() + 4 * half;
        a[2 * half] = bits_of_float(asked.x[at]), b[half] = bits_of_float(asked.y[at]);
      }
    mma_tf32(d, a, b);
    if (lane() == 0) static_cast<float*>(asked.out)[block_index()] = d[0];
  }
};
/// Does the hardware add as the emulator does? Numbers of ten bits, sums of all sizes.
void rounding() {
  constexpr int kSums = 4096;
  const Array<float> c(kSums), x(8 * kSums), y(8 * kSums), out(kSums);
  unsigned seed = 1;
  const auto draw = [&](int bits, int apart) {
    seed = seed * 1664525U + 1013904223U;
    const int size = static_cast<int>(seed >> 9) % (1 << bits),
              power = static_cast<int>(seed >> 28);
    return std::ldexp(static_cast<float>(seed & 256 ? -size : size), -bits - power % (apart + 1));
  };
  for (int i = 0; i < kSums; ++i) c.data[i] = draw(23, 3);
  for (int i = 0; i < x.size; ++i) x.data[i] = draw(10, 8), y.data[i] = draw(10, 8);
  Asked asked;
  asked.x = x.data, asked.y = y.data, asked.z = c.data, asked.out = out.data;
  ask<OneSum>(asked, kSums, 0);
  int wrong = 0, up = 0;
  for (int i = 0; i < kSums; ++i) {
    double products[8], exact = c.data[i];
    for (int k = 0; k < 8; ++k)
      exact += products[k] = double{x.data[8 * i + k]} * y.data[8 * i + k];
    wrong += out.data[i] != emulate::sum_of_products(c.data[i], products, 8);
    up += std::fabs(double{out.data[i]}) > std::fabs(exact);
  }
  std::printf("%d of %d sums are farther from zero than the exact one\n", up, kSums);
  report("sums as the emulator adds them", wrong, kSums);
}

}  // namespace

namespace {

#if defined(__CUDACC__)
/// Its major number, or how the program ends.
int found_gpu(int& code) {
  cudaDeviceProp gpu{};
  if (const cudaError_t none = cudaGetDeviceProperties(&gpu, 0)) {
    const char* required = std::getenv("FOVEA_REQUIRE_GPU");
    const bool fail = required && std::strcmp(required, "1") == 0;
    std::printf("%sno CUDA device (%s)\n",
                fail ? "FOVEA_REQUIRE_GPU=1, and " : "skipped: ", cudaGetErrorString(none));
    code = fail ? 1 : 0;
    return 0;
  }
  std::printf("%s, sm_%d%d, %d multiprocessors\n", gpu.name, gpu.major, gpu.minor,
              gpu.multiProcessorCount);
  return gpu.major;
}
#else
int found_gpu(int&) { return 9; }
#endif

struct Nothing {
  static constexpr int kThreads = kWarp;
  [[maybe_unused]] static constexpr bool kHopper = false;
  static FOVEA_DEVICE void run(const Asked& asked, unsigned char*) {
    static_cast<int*>(asked.out)[thread_index()] = thread_index();
  }
};
void alive() {
  const Array<int> x(kWarp);
  Asked asked;
  asked.out = x.data;
  ask<Nothing>(asked, 1, 0);
  int wrong = 0;
  for (int i = 0; i < kWarp; ++i) wrong += x.data[i] != i;
  report("a kernel", wrong, kWarp);
}

}  // namespace

int contracts(const std::string& name) {
  int code = 0;
  const int major = found_gpu(code);
  if (major == 0) return code;
  const std::map<std::string, std::function<void()>> everywhere = {
      {"alive", alive},
      {"mma",
       [] {
         products_of_a_warp<Mma16<f16>>("f16"), products_of_a_warp<Mma16<bf16>>("bf16");
         products_of_a_warp<MmaTf32<1>>("tf32"), products_of_a_warp<MmaTf32<3>>("3xtf32");
       }},
      {"round", rounding}};
  if (const auto found = everywhere.find(name); found != everywhere.end()) {
    found->second();
  } else if (major != 9) {
    std::printf("skipped: needs sm_90\n");
  } else if (!hopper_contract(name)) {
    std::printf("no contract is called '%s'\n", name.c_str());
    return 2;
  }
  return faults ? 1 : 0;
}

}  // namespace fovea::cuda

int main(int argc, char** argv) { return fovea::cuda::contracts(argc > 1 ? argv[1] : "alive"); }
