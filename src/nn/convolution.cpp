#include "fovea/nn/convolution.h"

#include <utility>

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

/// From the first to the last value that a kernel reads.
int64_t reach(const Tensor& weight, const ConvGeometry& g, int64_t axis) {
  return (weight.size(axis + 2) - 1) * g.dilation[axis] + 1;
}

/// Of kernels of 1: every s-th value, and then each.
Tensor strided(Tensor x, ConvGeometry& g) {
  for (size_t axis = 0; axis < g.stride.size(); ++axis)
    x = x.slice(static_cast<int64_t>(axis) + 2, 0, std::nullopt, std::exchange(g.stride[axis], 1));
  return x;
}

/// With the zeros around it, without what no kernel reaches behind the last output.
Tensor padded(const Tensor& input, const Tensor& weight, ConvGeometry& g) {
  std::vector<int64_t> zeros;  // of the last axis first
  for (auto padding = g.padding.rbegin(); padding != g.padding.rend(); ++padding)
    zeros.insert(zeros.end(), 2, std::exchange(*padding, 0));
  Tensor x = at::constant_pad_nd(input, zeros);
  for (int64_t axis = 0; axis < weight.dim() - 2; ++axis) {
    const int64_t width = reach(weight, g, axis), rest = x.size(axis + 2) - width;
    x = x.narrow(axis + 2, 0, rest - rest % g.stride[axis] + width);
    if (rest < g.stride[axis]) g.stride[axis] = 1;  // one output
  }
  return x.contiguous(input.suggest_memory_format());
}

}  // namespace

Tensor convolve(const Tensor& input, const Tensor& weight, const Tensor& bias,
                const ConvGeometry& geometry) {
  bool pointwise = true, unit_stride = true, beyond = false, fits = input.dim() == weight.dim();
  for (int64_t axis = 0; fits && axis < weight.dim() - 2; ++axis) {
    const int64_t kernel = weight.size(axis + 2), extent = input.size(axis + 2);
    const int64_t width = reach(weight, geometry, axis);
    pointwise = pointwise && kernel == 1;
    unit_stride = unit_stride && geometry.stride[axis] == 1;
    beyond = beyond || (kernel > 1 && extent <= width);
    fits = extent + 2 * geometry.padding[axis] >= width;
  }
  const bool wrong = beyond || (pointwise && !unit_stride);
  if (!fits || !wrong || !input.is_cpu())  // what does not fit is refused by LibTorch
    return convolve_plainly(input, weight, bias, geometry);
  ConvGeometry g = geometry;
  const Tensor x = pointwise ? strided(input, g) : padded(input, weight, g);
  return convolve_plainly(x, weight, bias, g);
}

}  // namespace fovea::nn
