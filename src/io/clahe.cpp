#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <vector>

#include "fovea/io/resample.h"

namespace fovea::io {
namespace {

constexpr int kBins = 256;
constexpr float kTop = kBins - 1;
using Curve = std::array<float, kBins>;  // output, in [0, 1], of each bin

float position(float value) {
  return value > 0 ? std::min(value, 1.0f) * kTop : 0.0f;
}  // NaN goes to 0

// Clips the counts and spreads the excess: evenly first, the rest at even distances.
void clip(std::array<int64_t, kBins>& counts, int64_t limit) {
  int64_t excess = 0;
  for (int64_t& count : counts) {
    excess += std::max<int64_t>(count - limit, 0);
    count = std::min(count, limit);
  }
  for (int64_t& count : counts) count += excess / kBins;
  const int64_t rest = excess % kBins;
  if (rest == 0) return;
  const int64_t step = std::max<int64_t>(kBins / rest, 1);
  for (int64_t i = 0, left = rest; i < kBins && left > 0; i += step, --left)
    ++counts[static_cast<size_t>(i)];
}

struct Grid {
  int64_t tiles, tile_height, tile_width;
};

// The curve of one tile. Tiles that reach beyond the image see it mirrored about its last pixel.
Curve curve_of(const float* values, int64_t height, int64_t width, const Grid& grid, int64_t row,
               int64_t column, double clip_limit) {
  const auto mirrored = [](int64_t i, int64_t n) {
    return i < n ? i : std::max<int64_t>(2 * (n - 1) - i, 0);
  };
  std::array<int64_t, kBins> counts{};
  for (int64_t y = row * grid.tile_height; y < (row + 1) * grid.tile_height; ++y) {
    const float* line = values + mirrored(y, height) * width;
    for (int64_t x = column * grid.tile_width; x < (column + 1) * grid.tile_width; ++x) {
      ++counts[static_cast<size_t>(position(line[mirrored(x, width)]) + 0.5f)];
    }
  }
  const int64_t area = grid.tile_height * grid.tile_width;
  if (clip_limit > 0) {
    clip(counts, std::max<int64_t>(
                     static_cast<int64_t>(clip_limit * static_cast<double>(area) / kBins), 1));
  }
  Curve curve;
  int64_t sum = 0;
  for (size_t i = 0; i < kBins; ++i) {
    sum += counts[i];
    curve[i] = static_cast<float>(sum) / static_cast<float>(area);
  }
  return curve;
}

// The two tiles whose centres lie about pixel i, and the weight of the second.
struct Between {
  int64_t first, second;
  float weight;
};
Between between(int64_t i, int64_t tile_side, int64_t tiles) {
  const float at = static_cast<float>(i) / static_cast<float>(tile_side) - 0.5f;
  const auto first = static_cast<int64_t>(std::floor(at));
  return {std::max<int64_t>(first, 0), std::min(first + 1, tiles - 1),
          at - static_cast<float>(first)};
}

}  // namespace

void clahe(ConstPlanes from, Planes to, double clip_limit, int64_t tiles) {
  assert(from.channels == to.channels && from.height == to.height && from.width == to.width);
  const int64_t height = from.height, width = from.width;
  const Grid grid{tiles, (height + tiles - 1) / tiles, (width + tiles - 1) / tiles};
  std::vector<Curve> curves(static_cast<size_t>(tiles * tiles));
  for (int64_t c = 0; c < from.channels; ++c) {
    const float* values = from.values + c * height * width;
    float* out = to.values + c * height * width;
    for (int64_t t = 0; t < tiles * tiles; ++t) {
      curves[static_cast<size_t>(t)] =
          curve_of(values, height, width, grid, t / tiles, t % tiles, clip_limit);
    }
    for (int64_t y = 0; y < height; ++y) {
      const Between v = between(y, grid.tile_height, tiles);
      for (int64_t x = 0; x < width; ++x) {
        const Between h = between(x, grid.tile_width, tiles);
        const float at = position(values[y * width + x]);
        const auto bin = static_cast<size_t>(at);
        const size_t next = std::min<size_t>(bin + 1, kBins - 1);
        const float part = at - static_cast<float>(bin);
        const auto mapped = [&](int64_t row, int64_t column) {
          const Curve& curve = curves[static_cast<size_t>(row * tiles + column)];
          return curve[bin] + part * (curve[next] - curve[bin]);
        };
        const float upper =
            mapped(v.first, h.first) * (1 - h.weight) + mapped(v.first, h.second) * h.weight;
        const float lower =
            mapped(v.second, h.first) * (1 - h.weight) + mapped(v.second, h.second) * h.weight;
        out[y * width + x] = upper * (1 - v.weight) + lower * v.weight;
      }
    }
  }
}

}  // namespace fovea::io
