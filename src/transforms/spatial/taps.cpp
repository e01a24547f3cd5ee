#include "transforms/spatial/taps.h"

#include <algorithm>
#include <cmath>

namespace fovea::transforms {

namespace {

/// weight(input, output) is asked for inputs from `begin` to `end` - 1 of each output.
template <class Range, class Weight>
Taps tabulate(int64_t from, int64_t to, bool normalize, const Range& range, const Weight& weight) {
  Taps taps;
  taps.from = from;
  taps.to = to;
  for (int64_t out = 0; out < to; ++out) {
    const auto [begin, end] = range(out);
    taps.most = std::max(taps.most, end - begin);
  }
  taps.first.resize(to);
  taps.weights.resize(to * taps.most);
  for (int64_t out = 0; out < to; ++out) {
    const auto [begin, end] = range(out);
    const int64_t first = std::min(begin, from - taps.most);
    double sum = 0;
    for (int64_t in = begin; in < end; ++in) sum += weight(in, out);
    taps.first[out] = first;
    for (int64_t in = begin; in < end; ++in)
      taps.weights[out * taps.most + in - first] =
          static_cast<float>(weight(in, out) / (normalize ? sum : 1));
  }
  return taps;
}

}  // namespace

Taps triangle_taps(int64_t from, int64_t to, bool antialias) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double support = antialias ? std::max(scale, 1.0) : 1.0;
  const auto centre = [=](int64_t out) { return scale * (static_cast<double>(out) + 0.5); };
  return tabulate(
      from, to, true,
      [=](int64_t out) {
        const auto begin = static_cast<int64_t>(std::max(0.0, centre(out) - support + 0.5));
        const auto end = static_cast<int64_t>(centre(out) + support + 0.5);
        return std::pair{begin, std::min(end, from)};
      },
      [=](int64_t in, int64_t out) {
        return std::max(0.0, 1 - std::abs(static_cast<double>(in) + 0.5 - centre(out)) / support);
      });
}

Taps area_taps(int64_t from, int64_t to) {
  if (to >= from) return triangle_taps(from, to, false);
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  return tabulate(
      from, to, true,
      [=](int64_t out) {
        const auto begin = static_cast<int64_t>(static_cast<double>(out) * scale);
        const auto end = static_cast<int64_t>(std::ceil(static_cast<double>(out + 1) * scale));
        return std::pair{begin, std::min(end, from)};
      },
      [=](int64_t in, int64_t out) {
        const double left = std::max(static_cast<double>(in), static_cast<double>(out) * scale);
        const double right =
            std::min(static_cast<double>(in + 1), static_cast<double>(out + 1) * scale);
        return std::max(0.0, right - left);
      });
}

int64_t knots_for(int64_t to, double spacing) {
  return static_cast<int64_t>(static_cast<double>(to - 1) / spacing) + 4;
}

Taps spline_taps(int64_t to, double spacing) {
  return tabulate(
      knots_for(to, spacing), to, false,
      [=](int64_t out) {
        const auto cell = static_cast<int64_t>(static_cast<double>(out) / spacing);
        return std::pair{cell, cell + 4};
      },
      [=](int64_t in, int64_t out) {
        const double t = std::abs(static_cast<double>(in) - 1 - static_cast<double>(out) / spacing);
        if (t >= 2) return 0.0;
        return t >= 1 ? std::pow(2 - t, 3) / 6 : 2.0 / 3 - t * t + t * t * t / 2;
      });
}

template <class T>
void resample(const T* from, float* to, int64_t outer, const Taps& taps, int64_t inner) {
  for (int64_t o = 0; o < outer; ++o, from += taps.from * inner) {
    for (int64_t out = 0; out < taps.to; ++out, to += inner) {
      const float* weights = taps.weights.data() + out * taps.most;
      const T* source = from + taps.first[out] * inner;
      if (inner == 1) {
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t k = 0; k < taps.most; ++k) sum += weights[k] * static_cast<float>(source[k]);
        *to = sum;
        continue;
      }
      for (int64_t i = 0; i < inner; ++i) to[i] = weights[0] * static_cast<float>(source[i]);
      for (int64_t k = 1; k < taps.most; ++k) {
        const T* line = source + k * inner;
        const float weight = weights[k];
        for (int64_t i = 0; i < inner; ++i) to[i] += weight * static_cast<float>(line[i]);
      }
    }
  }
}

template void resample(const float*, float*, int64_t, const Taps&, int64_t);
template void resample(const uint8_t*, float*, int64_t, const Taps&, int64_t);

}  // namespace fovea::transforms
