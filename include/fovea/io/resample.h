// Geometry and intensity of float images, plane by plane: what the transforms are made of. Safe
// from many threads at once; nothing here starts a thread. Input and output never overlap.
//
// Conventions: a pixel is a square whose centre has whole coordinates (x to the right, y down), so
// an image of width w reaches from -0.5 to w - 0.5.
//
// The blur is OpenCV's. The warps are not: it rounds coordinates to 1/32 of a pixel, which on noise
// is 2e-2 where these keep 2e-5. Nor is clahe: it knows whole numbers only, and takes ten times as
// long on 16 bits.
#pragma once

#include <array>
#include <cstdint>

#include "fovea/core/standard_library.h"

namespace fovea::io {

/// A view of samples [channels, height, width] in C order.
struct ConstPlanes {
  const float* values = nullptr;
  int64_t channels = 0, height = 0, width = 0;
};
struct Planes {
  float* values = nullptr;
  int64_t channels = 0, height = 0, width = 0;
  operator ConstPlanes() const { return {values, channels, height, width}; }
};

enum class Interpolation { bilinear, nearest };

/// What lies outside the image: one value · the nearest pixel of the edge · the image mirrored
/// about its edge pixels (… c b | a b c | b a …).
enum class Border { constant, edge, reflect };

struct Sampling {
  Interpolation interpolation = Interpolation::bilinear;
  Border border = Border::constant;
  float outside = 0;  ///< the value of Border::constant
};

/// [a b c; d e f]: where an output pixel (x, y) comes from, (a x + b y + c, d x + e y + f), in
/// pixels of the input.
using InverseMap = std::array<double, 6>;

void warp_affine(ConstPlanes from, Planes to, const InverseMap& map, const Sampling& sampling = {});

/// Elastic deformation: output pixel (x, y) comes from (x + dx[y, x], y + dy[y, x]). `dx` and `dy`
/// are [height, width] of the output, in pixels of the input.
void warp_displaced(ConstPlanes from, Planes to, const float* dx, const float* dy,
                    const Sampling& sampling = {});

/// Convolution with a Gaussian of `sigma` pixels, cut at 4 sigma, mirrored about the edge pixels:
/// scipy's gaussian_filter(mode="mirror"). `to` has the size of `from`; a sigma of 0 copies.
void gaussian_blur(ConstPlanes from, Planes to, double sigma);

/// Contrast-limited adaptive histogram equalisation (Zuiderveld 1994) of samples in [0, 1]; others
/// are clamped.
///
/// Each of tiles x tiles regions has a histogram of 256 bins, clipped at clip_limit times its mean
/// (at least 1 count); values are mapped by its cumulative sum, bilinearly between the centres of
/// regions. On samples k / 255 it does what OpenCV does on 8 bits; between them it interpolates, so
/// that finer steps survive.
void clahe(ConstPlanes from, Planes to, double clip_limit, int64_t tiles);

}  // namespace fovea::io
