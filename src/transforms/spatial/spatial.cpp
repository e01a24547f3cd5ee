#include "fovea/transforms/spatial/spatial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "fovea/core/error.h"
#include "transforms/image_values.h"

namespace fovea::transforms {
namespace {

using torch::Tensor;

constexpr double kLeastLeft = 0.3;  // of a box's area, or it is ignored
constexpr int kEllipsePoints = 64;

/// The voxel that a coordinate means under `outside`; -1 outside of what there is.
int64_t nearest(double at, int64_t length, Warp::Outside outside) {
  auto voxel = static_cast<int64_t>(std::floor(at + 0.5));
  if (voxel >= 0 && voxel < length) return voxel;
  switch (outside) {
    case Warp::Outside::ignored:
      return -1;
    case Warp::Outside::edge:
      return std::clamp<int64_t>(voxel, 0, length - 1);
    case Warp::Outside::reflect: {
      if (length == 1) return 0;
      const int64_t period = 2 * (length - 1);
      voxel = (voxel % period + period) % period;
      return voxel < length ? voxel : period - voxel;
    }
  }
  return -1;
}

Point source_of(const Warp& warp, int64_t i, int64_t j, int64_t k) {
  Point at = warp.map({static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)});
  if (!warp.right.empty()) {
    const auto pixel = static_cast<size_t>(j * warp.size[0] + i);
    at[0] += warp.right[pixel];
    at[1] += warp.down[pixel];
  }
  return at;
}

template <class T>
void warp_mask(const T* from, T* to, T ignored, const Warp& warp,
               const std::array<int64_t, 3>& sides) {
  for (int64_t k = 0; k < warp.size[2]; ++k)
    for (int64_t j = 0; j < warp.size[1]; ++j)
      for (int64_t i = 0; i < warp.size[0]; ++i) {
        const Point at = source_of(warp, i, j, k);
        std::array<int64_t, 3> voxel;
        for (size_t axis = 0; axis < 3; ++axis)
          voxel[axis] = nearest(at[axis], sides[axis], warp.outside);
        const bool inside = std::ranges::all_of(voxel, [](int64_t one) { return one >= 0; });
        *to++ = inside ? from[(voxel[2] * sides[1] + voxel[1]) * sides[0] + voxel[0]] : ignored;
      }
}

Tensor warped_mask(const Companion& mask, const Warp& warp, const std::array<int64_t, 3>& sides) {
  const Tensor from = mask.values.contiguous();
  const int64_t depth = from.dim() == 3 ? from.size(0) : 1;
  if (from.dim() < 2 || from.dim() > 3 || from.size(-1) != sides[0] || from.size(-2) != sides[1] ||
      depth != sides[2])
    throw data_error(
        fmt::format("the mask '{}' is {}, its image has {} columns, {} rows, {} slices", mask.name,
                    shape_text(from), sides[0], sides[1], sides[2]),
        "a mask has a class for each sample of its image");
  std::vector<int64_t> shape{warp.size[1], warp.size[0]};
  if (from.dim() == 3) shape.insert(shape.begin(), warp.size[2]);
  Tensor to = torch::empty(shape, from.options());
  const auto run = [&]<class T>(T ignored) {
    warp_mask(from.const_data_ptr<T>(), to.mutable_data_ptr<T>(), ignored, warp, sides);
  };
  switch (from.scalar_type()) {
    case torch::kUInt8:
      run(kIgnored);
      break;
    case torch::kInt16:
      run(int16_t{-1});
      break;
    case torch::kInt64:
      run(int64_t{-1});
      break;
    default:
      throw config_error(fmt::format("the mask '{}' is of {}, wanted uint8, int16 or int64",
                                     mask.name, c10::toString(from.scalar_type())));
  }
  return to;
}

/// Where places of the input lie in the output; coordinates are those of voxels.
class Forward {
 public:
  explicit Forward(const Warp& warp) : warp_(warp), back_(warp.map.inverse()) {}

  Point operator()(const Point& at) const {
    Point found = back_(at);
    if (warp_.right.empty()) return found;
    // at = map(found) + shift(found), for shifts that change less than a voxel from one to the next.
    constexpr int kRounds = 50;
    for (int round = 0; round < kRounds; ++round) {
      const auto [right, down] = shift(found);
      found = back_({at[0] - right, at[1] - down, at[2]});
    }
    return found;
  }

  /// Null where there is a displacement.
  const Affine* linear() const { return warp_.right.empty() ? &back_ : nullptr; }

  /// Whether each axis of the input is one of the output.
  bool keeps_axes() const {
    if (!warp_.right.empty()) return false;
    for (const auto& row : back_.rows)
      if (std::count_if(row.begin(), row.end() - 1, [](double v) { return std::abs(v) > 1e-9; }) !=
          1)
        return false;
    return true;
  }

 private:
  /// Between the four voxels around, beyond the edge that of the edge.
  std::pair<double, double> shift(const Point& at) const {
    const double x = std::clamp<double>(at[0], 0, static_cast<double>(warp_.size[0] - 1));
    const double y = std::clamp<double>(at[1], 0, static_cast<double>(warp_.size[1] - 1));
    const auto left = static_cast<int64_t>(x), top = static_cast<int64_t>(y);
    const int64_t right = std::min(left + 1, warp_.size[0] - 1);
    const int64_t bottom = std::min(top + 1, warp_.size[1] - 1);
    const double u = x - static_cast<double>(left), v = y - static_cast<double>(top);
    const auto between = [&](const std::vector<float>& field) {
      const auto value = [&](int64_t row, int64_t column) {
        return static_cast<double>(field[static_cast<size_t>(row * warp_.size[0] + column)]);
      };
      return (1 - v) * ((1 - u) * value(top, left) + u * value(top, right)) +
             v * ((1 - u) * value(bottom, left) + u * value(bottom, right));
    };
    return {between(warp_.right), between(warp_.down)};
  }

  const Warp& warp_;
  Affine back_;
};

/// From the image's edge on, as points and boxes are written: the centre of voxel 0 lies at 0.5.
Point voxel_of(const Point& edge) { return {edge[0] - 0.5, edge[1] - 0.5, edge[2] - 0.5}; }
Point edge_of(const Point& voxel) { return {voxel[0] + 0.5, voxel[1] + 0.5, voxel[2] + 0.5}; }

void check_rows(const Companion& one, int64_t width) {
  if (one.values.dim() != 2 || one.values.size(1) != width ||
      one.values.scalar_type() != torch::kFloat32)
    throw data_error(fmt::format("'{}' is {} of {}, wanted [rows, {}] of Float", one.name,
                                 shape_text(one.values), c10::toString(one.values.scalar_type()),
                                 width));
}

Tensor warped_points(const Companion& points, const Warp& warp, int64_t dims) {
  check_rows(points, dims);
  const Forward forward(warp);
  Tensor to = points.values.contiguous().clone();
  auto* row = to.mutable_data_ptr<float>();
  for (int64_t p = 0; p < to.size(0); ++p, row += dims) {
    Point at{0.5, 0.5, 0.5};
    std::copy_n(row, dims, at.begin());
    const Point moved = edge_of(forward(voxel_of(at)));
    for (int64_t axis = 0; axis < dims; ++axis)
      row[axis] = static_cast<float>(moved[static_cast<size_t>(axis)]);
  }
  return to;
}

struct Box {
  Point low, high;
  double area(int64_t dims) const {
    double product = 1;
    for (size_t axis = 0; axis < static_cast<size_t>(dims); ++axis)
      product *= std::max(0.0, high[axis] - low[axis]);
    return product;
  }
  void take_in(const Point& at) {
    for (size_t axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], at[axis]);
      high[axis] = std::max(high[axis], at[axis]);
    }
  }
};

Box nowhere() {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  return {{kFar, kFar, kFar}, {-kFar, -kFar, -kFar}};
}

/// Before it is clipped.
Box warped_box(const Box& box, const Forward& forward, int64_t dims) {
  Box to = nowhere();
  if (forward.keeps_axes()) {
    for (int corner = 0; corner < 8; ++corner) {
      Point at;
      for (size_t axis = 0; axis < 3; ++axis)
        at[axis] = (corner >> axis & 1) != 0 ? box.high[axis] : box.low[axis];
      to.take_in(edge_of(forward(voxel_of(at))));
    }
    return to;
  }
  Point middle, half;
  for (size_t axis = 0; axis < 3; ++axis) {
    middle[axis] = (box.low[axis] + box.high[axis]) / 2;
    half[axis] = (box.high[axis] - box.low[axis]) / 2;
  }
  if (const Affine* linear = forward.linear()) {
    const Point at = edge_of((*linear)(voxel_of(middle)));
    for (size_t x = 0; x < 3; ++x) {
      const auto& row = linear->rows[x];
      const double side = std::hypot(row[0] * half[0], row[1] * half[1], row[2] * half[2]);
      to.low[x] = at[x] - side;
      to.high[x] = at[x] + side;
    }
    return to;
  }
  // A displacement lies in the plane, where a cut of the ellipsoid through its middle is the largest;
  // its ends along the depth are those of the box.
  for (int k = 0; k < kEllipsePoints; ++k) {
    const double angle = 2 * std::numbers::pi * k / kEllipsePoints;
    to.take_in(edge_of(forward(voxel_of({middle[0] + half[0] * std::cos(angle),
                                         middle[1] + half[1] * std::sin(angle), middle[2]}))));
  }
  if (dims == 3)
    for (const double z : {box.low[2], box.high[2]}) {
      const Point end = edge_of(forward(voxel_of({middle[0], middle[1], z})));
      to.low[2] = std::min(to.low[2], end[2]);
      to.high[2] = std::max(to.high[2], end[2]);
    }
  return to;
}

Tensor warped_boxes(const Companion& boxes, const Warp& warp, int64_t dims) {
  check_rows(boxes, 2 * dims + 1);
  const Forward forward(warp);
  const Tensor from = boxes.values.contiguous();
  const auto* row = from.const_data_ptr<float>();
  std::vector<float> kept;
  for (int64_t b = 0; b < from.size(0); ++b, row += 2 * dims + 1) {
    Box box{{0, 0, 0}, {1, 1, 1}};
    std::copy_n(row, dims, box.low.begin());
    std::copy_n(row + dims, dims, box.high.begin());
    Box moved = warped_box(box, forward, dims);
    const double before = moved.area(dims);
    for (size_t axis = 0; axis < static_cast<size_t>(dims); ++axis) {
      moved.low[axis] = std::max(moved.low[axis], 0.0);
      moved.high[axis] = std::min(moved.high[axis], static_cast<double>(warp.size[axis]));
    }
    const double left = moved.area(dims);
    if (left <= 0) continue;
    for (size_t axis = 0; axis < static_cast<size_t>(dims); ++axis)
      kept.push_back(static_cast<float>(moved.low[axis]));
    for (size_t axis = 0; axis < static_cast<size_t>(dims); ++axis)
      kept.push_back(static_cast<float>(moved.high[axis]));
    kept.push_back(left < kLeastLeft * before ? -1 : row[2 * dims]);
  }
  return torch::tensor(kept, torch::kFloat32).reshape({-1, 2 * dims + 1});
}

}  // namespace

void warp(Companion& companion, const Warp& warp, const std::array<int64_t, 3>& from,
          int64_t dims) {
  switch (companion.layout) {
    case Layout::mask:
      companion.values = warped_mask(companion, warp, from);
      break;
    case Layout::boxes:
      companion.values = warped_boxes(companion, warp, dims);
      break;
    case Layout::points:
      companion.values = warped_points(companion, warp, dims);
      break;
    case Layout::image:
    case Layout::tokens:
    case Layout::none:
      break;
  }
}

void Spatial::apply_to(Scene& scene, Random& random) const {
  const Sides from = sides(scene.image);
  const std::optional<Warp> drawn = draw(from, random);
  if (!drawn) return;
  for (Companion& other : scene.others) {
    if (other.layout == Layout::image)
      other.values = sample(std::move(other.values), *drawn);
    else
      warp(other, *drawn, extent(from), from.volume ? 3 : 2);
  }
  scene.image = sample(std::move(scene.image), *drawn);
  scene.grid = scene.grid.times(drawn->map, drawn->size);
}

torch::Tensor Transform::apply(torch::Tensor image, Random& random) const {
  Scene scene{.image = std::move(image), .grid = {}, .others = {}};
  apply_to(scene, random);
  return std::move(scene.image);
}

}  // namespace fovea::transforms
