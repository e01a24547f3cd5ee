#include "fovea/transforms/spatial/geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "transforms/image_values.h"
#include "transforms/spatial/taps.h"

namespace fovea::transforms {

namespace {

Taps taps_for(const ResizeOptions& options, int64_t from, int64_t to) {
  return options.mode == "area" ? area_taps(from, to) : triangle_taps(from, to, options.antialias);
}

/// `axis` of [outer, from, inner] becomes `to` long.
torch::Tensor resample_axis(const torch::Tensor& image, int64_t axis, const Taps& taps) {
  auto shape = image.sizes().vec();
  int64_t outer = 1, inner = 1;
  for (int64_t i = 0; i < image.dim(); ++i) (i < axis ? outer : inner) *= i == axis ? 1 : shape[i];
  shape[axis] = taps.to;
  torch::Tensor result = torch::empty(shape, torch::kFloat32);
  if (image.scalar_type() == torch::kUInt8)
    resample(image.const_data_ptr<uint8_t>(), result.mutable_data_ptr<float>(), outer, taps, inner);
  else
    resample(image.const_data_ptr<float>(), result.mutable_data_ptr<float>(), outer, taps, inner);
  return result;
}

torch::Tensor resized(torch::Tensor image, const Sides& to, const ResizeOptions& options) {
  image = image.contiguous();
  // Height before width: what a column pass leaves over, the slower row pass need not touch.
  const int64_t last = image.dim() - 1;
  for (const auto& [axis, length] :
       {std::pair{last - 2, to.depth}, {last - 1, to.height}, {last, to.width}}) {
    if (axis == 0 || image.size(axis) == length) continue;
    image = resample_axis(image, axis, taps_for(options, image.size(axis), length));
  }
  return floats(std::move(image));
}

// A block of `image` at `corner` of a new image, or the other way round: rows are copied whole.
template <class T>
void copy_block(const T* from, const Sides& from_sides, T* to, const Sides& to_sides,
                const std::array<int64_t, 3>& from_corner, const std::array<int64_t, 3>& to_corner,
                const std::array<int64_t, 3>& block) {
  for (int64_t c = 0; c < from_sides.channels; ++c)
    for (int64_t z = 0; z < block[0]; ++z)
      for (int64_t y = 0; y < block[1]; ++y) {
        const int64_t in =
            (c * from_sides.depth + from_corner[0] + z) * from_sides.height + from_corner[1] + y;
        const int64_t out =
            (c * to_sides.depth + to_corner[0] + z) * to_sides.height + to_corner[1] + y;
        std::copy_n(from + in * from_sides.width + from_corner[2], block[2],
                    to + out * to_sides.width + to_corner[2]);
      }
}

template <class Body>
void by_type(const torch::Tensor& image, const Body& body) {
  if (image.scalar_type() == torch::kUInt8)
    body(uint8_t{});
  else
    body(float{});
}

torch::Tensor padded(torch::Tensor image, const Sides& to, double fill) {
  const Sides from = sides(image);
  if (image.scalar_type() == torch::kUInt8 && (fill < 0 || fill > 255 || fill != std::floor(fill)))
    throw config_error(fmt::format(
        "fill: found {}, wanted a whole number from 0 to 255 for an 8-bit image", fill));
  image = image.contiguous();
  torch::Tensor result = torch::empty(shape(to), image.scalar_type());
  by_type(image, [&]<class T>(T) {
    std::fill_n(result.mutable_data_ptr<T>(), result.numel(), static_cast<T>(fill));
    copy_block(
        image.const_data_ptr<T>(), from, result.mutable_data_ptr<T>(), to, {0, 0, 0},
        {(to.depth - from.depth) / 2, (to.height - from.height) / 2, (to.width - from.width) / 2},
        {from.depth, from.height, from.width});
  });
  return result;
}

/// Length `from` becomes `to`, edge on edge: x_from = (x_to - before + 0.5) from / to - 0.5.
void scale_axis(Affine& map, size_t axis, int64_t from, int64_t to, int64_t before) {
  const double factor = static_cast<double>(from) / static_cast<double>(to);
  map.rows[axis][axis] = factor;
  map.rows[axis][3] = (0.5 - static_cast<double>(before)) * factor - 0.5;
}

/// Of what is fitted into `to` with its aspect kept.
Sides fitted(const Sides& from, const Sides& to, const ResizeOptions& options) {
  if (!options.keep_aspect) return to;
  double factor = std::min(static_cast<double>(to.height) / static_cast<double>(from.height),
                           static_cast<double>(to.width) / static_cast<double>(from.width));
  if (from.volume && options.size.size() != 2)
    factor = std::min(factor, static_cast<double>(to.depth) / static_cast<double>(from.depth));
  const auto scaled = [&](int64_t length, int64_t most) {
    const auto nearest = std::llround(factor * static_cast<double>(length));
    return std::clamp<int64_t>(nearest, 1, most);
  };
  Sides inside = to;
  inside.height = scaled(from.height, to.height);
  inside.width = scaled(from.width, to.width);
  if (from.volume && options.size.size() != 2) inside.depth = scaled(from.depth, to.depth);
  return inside;
}

/// The sides of an image after a warp.
Sides after(const Sides& from, const Warp& warp) {
  return {from.channels, warp.size[2], warp.size[1], warp.size[0], from.volume};
}

/// Output voxel v is input voxel v + corner (columns, rows, slices).
Warp shifted(const Sides& to, const std::array<int64_t, 3>& corner) {
  Warp warp{.size = extent(to), .map = {}};
  for (size_t axis = 0; axis < 3; ++axis)
    warp.map.rows[axis][3] = static_cast<double>(corner[axis]);
  return warp;
}

/// Depth, height and width of the first voxel, of a shift.
std::array<int64_t, 3> corner_of(const Warp& warp) {
  std::array<int64_t, 3> corner;
  for (size_t axis = 0; axis < 3; ++axis)
    corner[2 - axis] = static_cast<int64_t>(warp.map.rows[axis][3]);
  return corner;
}

torch::Tensor flipped(torch::Tensor image, const std::string& axis) {
  const Sides s = sides(image);
  image = image.contiguous();
  torch::Tensor result = torch::empty(image.sizes(), image.scalar_type());
  by_type(image, [&]<class T>(T) {
    const T* from = image.const_data_ptr<T>();
    T* to = result.mutable_data_ptr<T>();
    if (axis == "width") {
      for (int64_t row = 0; row < s.channels * s.depth * s.height; ++row)
        std::reverse_copy(from + row * s.width, from + (row + 1) * s.width, to + row * s.width);
      return;
    }
    const bool rows = axis == "height";
    const int64_t outer = rows ? s.channels * s.depth : s.channels;
    const int64_t count = rows ? s.height : s.depth;
    const int64_t block = rows ? s.width : s.height * s.width;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < count; ++i)
        std::copy_n(from + (o * count + i) * block, block,
                    to + (o * count + count - 1 - i) * block);
  });
  return result;
}

}  // namespace

TransformPtr resize(const ResizeOptions& options) {
  const auto draw = [options](const Sides& from, Random&) -> std::optional<Warp> {
    const Sides to = wanted(options.size, from), inside = fitted(from, to, options);
    Warp warp{.size = extent(to), .map = {}};
    if (!options.keep_aspect) warp.outside = Warp::Outside::edge;
    const auto lengths = extent(from), outer = extent(to), inner = extent(inside);
    for (size_t axis = 0; axis < 3; ++axis)
      scale_axis(warp.map, axis, lengths[axis], inner[axis], (outer[axis] - inner[axis]) / 2);
    return warp;
  };
  const auto sample = [options](torch::Tensor image, const Warp& warp) {
    const Sides from = sides(image), to = after(from, warp);
    if (!options.keep_aspect) return resized(std::move(image), to, options);
    const double fill = options.fill ? *options.fill : background(image);
    return padded(resized(std::move(image), fitted(from, to, options), options), to, fill);
  };
  return moving(draw, sample);
}

TransformPtr crop(const CropOptions& options) {
  const auto draw = [options](const Sides& from, Random& random) -> std::optional<Warp> {
    const Sides to = wanted(options.size, from);
    if (to.depth > from.depth || to.height > from.height || to.width > from.width)
      throw config_error(fmt::format(
          "the image {} is smaller than the crop of {} x {} x {} (depth, height, width): resize "
          "or pad first",
          shape_text(from), to.depth, to.height, to.width));
    const auto place = [&](int64_t room) {
      return options.where == "random" ? random.below(room + 1) : room / 2;
    };
    const int64_t slice = place(from.depth - to.depth), row = place(from.height - to.height);
    const int64_t column = place(from.width - to.width);
    return shifted(to, {column, row, slice});
  };
  const auto sample = [](torch::Tensor image, const Warp& warp) {
    const Sides from = sides(image), to = after(from, warp);
    image = image.contiguous();
    torch::Tensor result = torch::empty(shape(to), image.scalar_type());
    by_type(image, [&]<class T>(T) {
      copy_block(image.const_data_ptr<T>(), from, result.mutable_data_ptr<T>(), to, corner_of(warp),
                 {0, 0, 0}, {to.depth, to.height, to.width});
    });
    return result;
  };
  return moving(draw, sample);
}

TransformPtr pad(const PadOptions& options) {
  const auto draw = [options](const Sides& from, Random&) -> std::optional<Warp> {
    Sides to = wanted(options.size, from);
    to.depth = std::max(to.depth, from.depth);
    to.height = std::max(to.height, from.height);
    to.width = std::max(to.width, from.width);
    return shifted(to, {-((to.width - from.width) / 2), -((to.height - from.height) / 2),
                        -((to.depth - from.depth) / 2)});
  };
  const auto sample = [options](torch::Tensor image, const Warp& warp) {
    const double fill = options.fill ? *options.fill : background(image);
    const Sides to = after(sides(image), warp);
    return padded(std::move(image), to, fill);
  };
  return moving(draw, sample);
}

TransformPtr flip(const FlipOptions& options) {
  const auto draw = [options](const Sides& from, Random& random) -> std::optional<Warp> {
    if (options.axis == "depth" && !from.volume)
      throw config_error("axis depth is for volumes [C, D, H, W]; found the image " +
                         shape_text(from));
    if (options.probability < 1 && !random.chance(options.probability)) return {};
    Warp warp{.size = extent(from), .map = {}};
    const size_t axis = options.axis == "width" ? 0 : options.axis == "height" ? 1 : 2;
    warp.map.rows[axis][axis] = -1;
    warp.map.rows[axis][3] = static_cast<double>(warp.size[axis] - 1);
    return warp;
  };
  return moving(draw, [axis = options.axis](torch::Tensor image, const Warp&) {
    return flipped(std::move(image), axis);
  });
}

}  // namespace fovea::transforms
