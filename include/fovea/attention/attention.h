// Scaled dot-product attention that never stores the queries x keys matrix and gives everything medical models ask of it:
// biases with gradients, windows, lengths, masks, dropout, and what was looked at. The same operators are registered as
// fovea::sdpa, fovea::window_sdpa and fovea::spatial_sdpa.
#pragma once

#include <torch/types.h>

#include <optional>
#include <string>

#include "fovea/core/standard_library.h"

namespace fovea::attention {

/// Wrong arguments throw c10::Error, which names the argument, what was found and what was wanted.
struct Options {
  /// [B or 1, H or 1, Nq or 1, Nk or 1], any float type; added to the scaled scores. -inf hides. Gets a gradient.
  torch::Tensor bias;
  /// bool, shaped as a bias is: true where a query may look.
  torch::Tensor mask;
  /// [B] int32 or int64: queries from len_q[b] on give 0, keys from len_k[b] on are not seen. Never read by the host of
  /// a GPU; clamped to what there is.
  torch::Tensor len_q, len_k;
  double dropout_p = 0;                    ///< of the weights, 0 <= p < 1
  bool causal = false;                     ///< query i sees the keys 0 to i
  std::optional<double> scale;             ///< of the scores; absent: 1 / sqrt(Dk)
  std::optional<at::Generator> generator;  ///< of dropout; absent: the device's default
  bool want_col_sum = false, want_avg_map = false;
};

struct Result {
  torch::Tensor out;  ///< [B,H,Nq,Dv], laid out [B,Nq,H,Dv]: merging the heads copies nothing
  torch::Tensor lse;  ///< [B,H,Nq] log of the sum of exp(scores); +inf where a query sees nothing
  torch::Tensor col_sum;  ///< [B,H,Nk] if wanted: how much each key was looked at, before dropout
  torch::Tensor avg_map;  ///< [B,Nq,Nk] if wanted: the weights before dropout, mean of the heads
};

/// softmax(scale q k' + bias) v. q [B,H,Nq,Dk], k [B,H,Nk,Dk], v [B,H,Nk,Dv], all fp32, bf16, fp16 or (CPU) fp64, of any
/// strides. A query that sees nothing gives 0. `out` is differentiable in q, k, v and bias, once; where v's positions lie
/// side by side (channels first), out is laid out so too.
Result sdpa(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
            const Options& options = {});

struct WindowOptions {
  std::vector<int64_t>
      window;                  ///< one size per grid dimension; empty: the whole grid is one window
  std::vector<int64_t> shift;  ///< windows are cut from the grid rolled by -shift; empty: none
  double dropout_p = 0;
  std::optional<double> scale;
  std::optional<at::Generator> generator;
  bool want_col_sum = false, want_avg_map = false;
};

/// Attention within windows of a grid of 1, 2 or 3 dimensions (Liu et al., Swin Transformer, 2021): roll, partition, mask
/// and reverse are arithmetic on positions, nothing is copied.
///
///   qkv    [B, *grid, 3 heads D] as one Linear layer writes it: q, k, v, within each the heads
///   table  [prod(2 window - 1), heads], a bias by relative position as in Swin's checkpoints; undefined: none
///   out    [B, *grid, heads D]; lse and col_sum [B, windows, heads, N], avg_map [B, windows, N, N]
///
/// A grid that windows do not divide is continued by positions that nothing sees.
Result window_sdpa(const torch::Tensor& qkv, const torch::Tensor& table, int64_t heads,
                   const WindowOptions& options = {});

struct SpatialOptions {
  int64_t heads = 1;
  double scale = 1;  ///< SAGAN has none
  double dropout_p = 0;
  std::optional<at::Generator> generator;
};

/// Attention between the positions of feature maps (Zhang et al., SAGAN, 2019), channels first as convolutions write
/// them. q [B, heads Dk, *space], k [B, heads Dk, *space2], v [B, heads Dv, *space2]; result [B, heads Dv, *space].
torch::Tensor spatial_sdpa(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                           const SpatialOptions& options = {});

/// Whether there are kernels for a device type: always for CPUs.
bool runs_on(c10::DeviceType device);

/// The kernel that the last call of this thread took and, if there is a faster one, why not that.
/// With FOVEA_SDPA_LOG=1 in the environment each new (shape, dtype, path) is printed as well.
std::string last_path();

}  // namespace fovea::attention
