// The tests of the kernels on a GPU in the emulator's place, without LibTorch: all memory of this program is memory that the
// GPU sees too, and every launch is waited for, so that the tests are the same text.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <new>

namespace {

/// Blocks of 2^k bytes, cut from one managed allocation and handed out again. Each begins 64 bytes behind its size.
class Arena {
 public:
  void* allocate(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (!begin_ && !opened_) open();
    if (!begin_) return std::malloc(bytes);
    std::size_t k = 7;
    while ((std::size_t{1} << k) < bytes + kHeader) ++k;
    unsigned char* block = free_.at(k);
    if (block) {
      std::memcpy(&free_.at(k), block + kHeader, sizeof block);
    } else {
      block = next_;
      if (static_cast<std::size_t>(begin_ + kBytes - block) < std::size_t{1} << k) return nullptr;
      next_ += std::size_t{1} << k;
      std::memcpy(block, &k, sizeof k);
    }
    return block + kHeader;
  }
  void release(void* p) {
    auto* const at = static_cast<unsigned char*>(p);
    if (!begin_ || at < begin_ || at >= begin_ + kBytes) return std::free(p);
    const std::lock_guard lock(mutex_);
    std::size_t k = 0;
    std::memcpy(&k, at - kHeader, sizeof k);
    std::memcpy(at, &free_.at(k), sizeof at);
    free_.at(k) = at - kHeader;
  }
  const char* why_not() const { return cudaGetErrorString(error_); }
  bool is_open() const { return begin_ != nullptr; }

 private:
  static constexpr std::size_t kHeader = 64, kBytes = std::size_t{4} << 30;

  void open() {
    opened_ = true;
    setenv("CUDA_LAUNCH_BLOCKING", "1", 1);  // before the first call of CUDA
    void* memory = nullptr;
    error_ = cudaMallocManaged(&memory, kBytes, cudaMemAttachGlobal);
    cudaGetLastError();
    if (error_ == cudaSuccess) begin_ = next_ = static_cast<unsigned char*>(memory);
  }

  std::mutex mutex_;
  bool opened_ = false;
  unsigned char *begin_ = nullptr, *next_ = nullptr;
  std::array<unsigned char*, 40> free_ = {};
  cudaError_t error_ = cudaSuccess;
};
constinit Arena arena;

}  // namespace

void* operator new(std::size_t bytes) {
  if (void* p = arena.allocate(bytes)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  if (p) arena.release(p);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!arena.is_open()) {
    const char* required = std::getenv("FOVEA_REQUIRE_GPU");
    const bool fail = required && std::strcmp(required, "1") == 0;
    std::cout << (fail ? "FOVEA_REQUIRE_GPU=1, and " : "skipped: ") << "no CUDA device ("
              << arena.why_not() << ")" << std::endl;
    return fail ? 1 : 0;
  }
  cudaDeviceProp gpu{};
  if (const cudaError_t error = cudaGetDeviceProperties(&gpu, 0)) {
    std::cout << cudaGetErrorString(error) << std::endl;
    return 1;
  }
  std::cout << gpu.name << ", sm_" << gpu.major << gpu.minor << std::endl;
  if (gpu.major != 9) {
    std::cout << "without the Hopper kernels, which need sm_90" << std::endl;
    testing::GTEST_FLAG(filter) +=
        testing::GTEST_FLAG(filter).find('-') == std::string::npos ? "-Hopper.*" : ":Hopper.*";
  }
  const int code = RUN_ALL_TESTS();
  if (const cudaError_t error = cudaDeviceSynchronize()) {
    std::cout << "at the end: " << cudaGetErrorString(error) << std::endl;
    return 1;
  }
  return code;
}
