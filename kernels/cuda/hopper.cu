// Which calls the Hopper kernels take, and the maps of their tensors.
#include "cuda/hopper.h"

#include "cuda/hopper_launch.cuh"

namespace fovea::cuda {
namespace {

constexpr int kWidest = 2 * kPanel;
// In elements: a unit is 16 bytes, a stride is below 2^40 bytes.
constexpr std::int64_t kUnit = 8, kLongest = (std::int64_t{1} << 39) - 1;

#define FOVEA_REFUSAL(name, reason) \
  constexpr Refusal name = {"sm80 mma f16 (" reason ")", "sm80 mma bf16 (" reason ")"}
FOVEA_REFUSAL(kShort, "few positions");
FOVEA_REFUSAL(kWindows, "windows");
FOVEA_REFUSAL(kAdded, "mask or bias");
FOVEA_REFUSAL(kWidth, "width of heads");
FOVEA_REFUSAL(kStrides, "strides");
FOVEA_REFUSAL(kScale, "scale");
#undef FOVEA_REFUSAL

/// Whether the copy engine can read it: rows of 16-byte units, none of them a repetition.
bool mappable(const View4& view, int positions) {
  if (view.s[3] != 1 || reinterpret_cast<std::uintptr_t>(view.p) % 16 != 0) return false;
  if (view.s[2] == 0 && positions > 1) return false;
  return std::ranges::all_of(view.s, view.s + 3, [](std::int64_t step) {
    return step % kUnit == 0 && step >= 0 && step <= kLongest;
  });
}

bool fits_width(int channels) {
  return channels > 0 && channels <= kWidest && channels % kUnit == 0;
}

}  // namespace

const Refusal* hopper_refuses(const SdpaArgs& a, Pass pass) {
  if (a.windows.count) return &kWindows;
  if (a.mask.p || a.bias.p || a.table.p) return &kAdded;
  if (a.B < 1 || a.H < 1 || a.Nq < kHopperLength || a.Nk < kHopperLength) return &kShort;
  if (!fits_width(a.Dk) || !fits_width(a.Dv)) return &kWidth;
  if (!mappable(a.q, a.Nq) || !mappable(a.k, a.Nk) || !mappable(a.v, a.Nk)) return &kStrides;
  if (pass == Pass::backward && !mappable(a.grad_out, a.Nq)) return &kStrides;
  if (!(a.scale > 0)) return &kScale;  // the greatest product is the greatest score
  return nullptr;
}

#if defined(__CUDACC__)

namespace {

using Encode = decltype(&cuTensorMapEncodeTiled);

/// The driver's function: a program that links to it would not start where there is no driver.
Encode encode_function() {
  void* entry = nullptr;
  cudaDriverEntryPointQueryResult found;
  constexpr unsigned kVersion = 12000;
  if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry, kVersion,
                                       cudaEnableDefault, &found) != cudaSuccess ||
      found != cudaDriverEntryPointSuccess) {
    cudaGetLastError();  // it is answered here: the next launch must not report it
    return nullptr;
  }
  return reinterpret_cast<Encode>(entry);
}

}  // namespace

int encode_map(TensorMap& map, const SdpaArgs& a, const View4& view, int positions, int channels) {
  static const Encode encode = encode_function();
  if (!encode) return cudaErrorNotSupported;
  const auto count = [](int n) { return static_cast<cuuint64_t>(n); };
  // Repeated heads and batches are one, and its stride then is any that is allowed.
  const auto stride = [&](int d) {
    return view.s[d] ? static_cast<cuuint64_t>(2 * view.s[d]) : 16;
  };
  const cuuint64_t size[4] = {count(channels), count(positions), view.s[1] ? count(a.H) : 1,
                              view.s[0] ? count(a.B) : 1};
  const cuuint64_t strides[3] = {stride(2), stride(1), stride(0)};
  const cuuint32_t box[4] = {kPanel, kBoxRows, 1, 1}, step[4] = {1, 1, 1, 1};
  const CUresult result = encode(
      &map,
      a.elem == Elem::f16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 4,
      view.p, size, strides, box, step, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
      CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}

#else

int encode_map(TensorMap& map, const SdpaArgs& a, const View4& view, int positions, int channels) {
  map = {static_cast<const unsigned char*>(view.p),
         {channels, positions, view.s[1] ? a.H : 1, view.s[0] ? a.B : 1},
         {2, view.s[2] ? 2 * view.s[2] : 16, view.s[1] ? 2 * view.s[1] : 16,
          view.s[0] ? 2 * view.s[0] : 16},
         {kPanel, kBoxRows, 1, 1}};
  return emulate::is_map(map) ? 0 : 1;
}

#endif

}  // namespace fovea::cuda
