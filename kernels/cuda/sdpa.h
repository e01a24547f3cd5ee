// The border between the CUDA kernels and LibTorch: plain numbers and pointers, no header of either side.
#pragma once

#include <cstdint>

namespace fovea::cuda {

/// A tensor [batch, head, position, channel] or [batch, head, query, key] on the device; strides in elements.
struct View4 {
  void* p = nullptr;       ///< null: absent
  std::int64_t s[4] = {};  ///< 0 where the tensor repeats (or has one element)

  constexpr std::int64_t at(std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d) const {
    return b * s[0] + h * s[1] + n * s[2] + d * s[3];
  }
};

enum class Elem : std::int32_t { f32, f16, bf16 };

/// Windows cut from rolled images. Batch b is window b % count of image b / count; the batch strides of q, k, v and of what
/// has their shape are the images', and position n of a window is a row of its image. Leading axes that are not there have
/// size, window and blocks 1.
struct Windows {
  std::int32_t count = 0;  ///< of one image; 0: none, and position n is row n
  std::int32_t size[3] = {1, 1, 1}, window[3] = {1, 1, 1}, shift[3] = {}, blocks[3] = {1, 1, 1};
};

/// One call. Scores S = scale q k' + bias where seen; P = softmax of the rows; out = (dropped P) v.
struct SdpaArgs {
  View4 q, k, v, o;
  View4 bias, mask;          ///< of bias_elem; bytes, 0 hides a key
  View4 table;               ///< of windows: [bin, head] in s[0], s[1], of bias_elem
  float* lse = nullptr;      ///< [B, H, Nq], natural; +inf where a query sees nothing
  float* col_sum = nullptr;  ///< [B, H, Nk], contiguous; null: not wanted
  float* avg_map = nullptr;  ///< [B, Nq, Nk], contiguous; null: not wanted
  const void *len_q = nullptr, *len_k = nullptr;  ///< [B], clamped here; null: all
  bool len64 = false;
  const std::int64_t* rng = nullptr;  ///< {seed, offset} on the device
  std::int32_t B = 0, H = 0, Nq = 0, Nk = 0, Dk = 0, Dv = 0;
  std::int32_t sm = 80;  ///< 10 * major + minor
  std::int32_t shared_limit =
      0;  ///< bytes of shared memory a block may ask for; 0: 99 KiB, what every sm_80+ has
  Elem elem = Elem::f32, bias_elem = Elem::f32;
  float scale = 1, keep_inv = 1;     ///< 1 / (1 - p)
  std::uint32_t drop_threshold = 0;  ///< round(p 2^32); 0: no dropout
  bool causal = false;               ///< key j is seen by query i if j <= i
  bool tf32 = false;                 ///< one TF32 product for f32, else three
  Windows windows;

  // Backward only; gradients that are null are not wanted.
  View4 grad_out, dq, dk, dv;
  View4 dbias;                ///< of bias_elem; stride 0 along a dimension that bias repeats over
  View4 dtable;               ///< as table
  void* workspace = nullptr;  ///< sdpa_bwd_workspace bytes

  void* stream = nullptr;  ///< a cudaStream_t
};

// Each returns a cudaError_t as a number and never synchronises. `path`: the kernel taken, for logs and tests.
int sdpa_fwd(const SdpaArgs&, const char** path) noexcept;
int sdpa_bwd(const SdpaArgs&, const char** path) noexcept;
/// Every repeat adds in the same order, so the sums need room for partial ones.
std::int64_t sdpa_bwd_workspace(const SdpaArgs&) noexcept;

/// Where a generator stands: two values, or two places on the device while a CUDA graph is captured.
struct RngSource {
  std::uint64_t seed = 0, offset = 0;
  const std::int64_t *seed_at = nullptr, *offset_at = nullptr;
};
int write_rng(const RngSource&, std::int64_t* out, void* stream) noexcept;

}  // namespace fovea::cuda
