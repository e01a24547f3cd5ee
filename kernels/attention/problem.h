// One call of the operator as plain numbers and pointers: what the kernels of a CPU work on. No tensor library, so that
// the files compiled for one instruction set include nothing else.
#pragma once

#include <cstdint>

#include "attention/philox.h"

namespace fovea::attention {

enum class Elem : std::int32_t { f32, bf16, f64 };

/// A tensor [batch, head, position, channel] (or [batch, head, query, key]); strides in elements, 0 where it repeats.
struct View {
  void* data = nullptr;  ///< null: absent
  std::int64_t stride[4] = {};
};

/// Windows cut from images: batch b is window b % count of image b / count. A batch stride of q, k, v, out and their
/// gradients is then the image's, and position n of a window is row place[n] of its image.
struct Windows {
  std::int64_t count = 0;               ///< of one image; 0: none, position n is row n
  const std::int32_t* place = nullptr;  ///< [count, N]; -1: outside the image, seen by none
  const std::uint8_t* region =
      nullptr;  ///< [count, N]: positions see each other within a region; null: all do
};

/// Scores S = scale q k' + bias, where seen; P = softmax of the rows; out = (dropped P) v.
struct Problem {
  std::int64_t B = 0, H = 0, Nq = 0, Nk = 0, Dk = 0, Dv = 0;
  Elem elem = Elem::f32;  ///< of q, k, v, out, grad_out, dq, dk, dv
  double scale = 1;
  bool causal = false;  ///< key j is seen by query i if j <= i
  Dropout dropout;
  Windows windows;

  View q, k, v;
  View bias;  ///< float or bf16; double where elem is f64
  Elem bias_elem = Elem::f32;
  View mask;  ///< bytes: 0 hides a key
  /// [B], as the caller gave them: clamp to [0, N]. Null: all.
  const std::int64_t *len_q = nullptr, *len_k = nullptr;

  View out;
  void* lse =
      nullptr;  ///< [B, H, Nq] float (double for f64), natural; +inf where a query sees nothing
  float* col_sum = nullptr;  ///< [B, H, Nk] or null, zeroed by the kernel
  float* avg_map = nullptr;  ///< [B, Nq, Nk] or null, zeroed by the kernel

  // Backward only; the gradients that are null are not wanted.
  View grad_out, dq, dk, dv;
  /// float (double for f64): contiguous, of bias's own shape; zeroed by the kernel. Its strides are 0 where bias repeats.
  View dbias;

  /// Rows [b, h, n] of a view begin here; null where place says so.
  template <class T>
  FOVEA_INLINE T* row(const View& view, std::int64_t b, std::int64_t h, std::int64_t n) const {
    if (windows.count == 0)
      return static_cast<T*>(view.data) + b * view.stride[0] + h * view.stride[1] +
             n * view.stride[2];
    const std::int64_t place = windows.place[b % windows.count * Nq + n];
    if (place < 0) return nullptr;
    return static_cast<T*>(view.data) + b / windows.count * view.stride[0] + h * view.stride[1] +
           place * view.stride[2];
  }
  FOVEA_INLINE std::int64_t queries(std::int64_t b) const { return clamped(len_q, b, Nq); }
  FOVEA_INLINE std::int64_t keys(std::int64_t b) const { return clamped(len_k, b, Nk); }

 private:
  FOVEA_INLINE static std::int64_t clamped(const std::int64_t* lengths, std::int64_t b,
                                           std::int64_t most) {
    if (!lengths) return most;
    return lengths[b] < 0 ? 0 : lengths[b] > most ? most : lengths[b];
  }
};

}  // namespace fovea::attention
