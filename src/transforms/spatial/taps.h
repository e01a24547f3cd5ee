// Linear resampling along one axis: each output position is a weighted sum of neighbouring inputs.
#pragma once

#include <cstdint>
#include <vector>

namespace fovea::transforms {

struct Taps {
  int64_t from = 0;            ///< length of the input
  int64_t to = 0;              ///< length of the output
  int64_t most = 0;            ///< weights per output; unused ones are 0
  std::vector<int64_t> first;  ///< [to] position of the first weight, at most from - most
  std::vector<float> weights;  ///< [to, most]
};

/// A triangle around each output's centre, as wide as the output pixel where the image shrinks
/// and `antialias` is set, else as wide as an input pixel (edge to edge, align_corners = false).
Taps triangle_taps(int64_t from, int64_t to, bool antialias);

/// The part of each input pixel that the output pixel covers; a growing side is bilinear.
Taps area_taps(int64_t from, int64_t to);

/// Cubic B-spline of knots `spacing` apart; output 0 lies on knot 1. from = knots_for(to, spacing).
Taps spline_taps(int64_t to, double spacing);
int64_t knots_for(int64_t to, double spacing);

/// `from` [outer, taps.from, inner] -> `to` [outer, taps.to, inner].
template <class T>
void resample(const T* from, float* to, int64_t outer, const Taps& taps, int64_t inner);

extern template void resample(const float*, float*, int64_t, const Taps&, int64_t);
extern template void resample(const uint8_t*, float*, int64_t, const Taps&, int64_t);

}  // namespace fovea::transforms
