#include "fovea/nn/convolution.h"

#include <algorithm>
#include <cstdlib>

namespace fovea::nn {
namespace {

using torch::Tensor;

// The three names rather than at::convolution: autocast and the layer table know them.
Tensor convolve_plainly(const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const ConvGeometry& g) {
  if (weight.dim() == 3)
    return at::conv1d(input, weight, bias, g.stride, g.padding, g.dilation, g.groups);
  return weight.dim() == 4
             ? at::conv2d(input, weight, bias, g.stride, g.padding, g.dilation, g.groups)
             : at::conv3d(input, weight, bias, g.stride, g.padding, g.dilation, g.groups);
}

}  // namespace

Tensor convolve(const Tensor& input, const Tensor& weight, const Tensor& bias,
                const ConvGeometry& geometry) {
  const at::IntArrayRef kernel = weight.sizes().slice(2), extent = input.sizes().slice(2);
  const size_t axes = kernel.size();
  static const int variant = getenv("VARIANT") ? atoi(getenv("VARIANT")) : 1;
  std::vector<int64_t> reach(axes);
  bool ones = true, strided = false, any_short = false;
  std::vector<bool> shorts(axes);
  for (size_t a = 0; a < axes; ++a) {
    reach[a] = (kernel[a] - 1) * geometry.dilation[a] + 1;
    ones = ones && kernel[a] == 1;
    strided = strided || geometry.stride[a] > 1;
    shorts[a] = extent[a] <= reach[a] && kernel[a] > 1;
    any_short = any_short || shorts[a];
  }
  if (variant == 0) return convolve_plainly(input, weight, bias, geometry);
  if (!any_short && !(ones && strided)) return convolve_plainly(input, weight, bias, geometry);
  ConvGeometry g = geometry;
  Tensor x = input;
  if (ones) {
    for (size_t a = 0; a < axes; ++a) {
      x = x.slice(static_cast<int64_t>(a) + 2, 0, std::nullopt, g.stride[a]);
      g.stride[a] = 1;
    }
    return convolve_plainly(x, weight, bias, g);
  }
  std::vector<int64_t> pads;
  for (size_t a = axes; a-- > 0;) {
    if (variant == 2 && !shorts[a]) { pads.insert(pads.end(), 2, 0); continue; }
    pads.insert(pads.end(), 2, g.padding[a]);
    g.padding[a] = 0;
  }
  x = at::constant_pad_nd(x, pads);
  for (size_t a = 0; a < axes; ++a) {
    if (variant == 2 && !shorts[a]) continue;
    const int64_t s = g.stride[a], last = (x.size(a + 2) - reach[a]) / s;
    x = x.narrow(a + 2, 0, last * s + reach[a]);
    if (last == 0) g.stride[a] = 1;
  }
  return convolve_plainly(x.contiguous(x.suggest_memory_format()), weight, bias, g);
}

}  // namespace fovea::nn
