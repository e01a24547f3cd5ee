#include "transforms/image_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

namespace fovea::transforms {

Sides sides(const torch::Tensor& image) {
  const bool known = image.defined() && (image.scalar_type() == torch::kUInt8 ||
                                         image.scalar_type() == torch::kFloat32);
  if (!known || image.dim() < 3 || image.dim() > 4 || image.numel() == 0)
    throw config_error(fmt::format(
        "found {}, wanted an image [C, H, W] or [C, D, H, W] of uint8 or float32",
        !image.defined()
            ? std::string("no tensor")
            : fmt::format("{} of {}", shape_text(image), c10::toString(image.scalar_type()))));
  const bool volume = image.dim() == 4;
  return {image.size(0), volume ? image.size(1) : 1, image.size(-2), image.size(-1), volume};
}

std::vector<int64_t> shape(const Sides& s) {
  if (s.volume) return {s.channels, s.depth, s.height, s.width};
  return {s.channels, s.height, s.width};
}

std::string shape_text(const Sides& sides) {
  return fmt::format("[{}]", fmt::join(shape(sides), ", "));
}

std::string shape_text(const torch::Tensor& image) {
  return fmt::format("[{}]", fmt::join(image.sizes().begin(), image.sizes().end(), ", "));
}

Sides wanted(const std::vector<int64_t>& sizes, const Sides& of) {
  if (sizes.empty() || sizes.size() > 3)
    throw config_error(
        fmt::format("size: found {} numbers, wanted one, [height, width] or [depth, height, width]",
                    sizes.size()));
  if (sizes.size() == 3 && !of.volume)
    throw config_error("size: three numbers are for volumes [C, D, H, W]; this image has no depth");
  Sides result = of;
  result.width = sizes.back();
  result.height = sizes.size() == 1 ? sizes[0] : sizes[sizes.size() - 2];
  if (of.volume && sizes.size() != 2) result.depth = sizes[0];
  return result;
}

torch::Tensor floats(torch::Tensor image) {
  sides(image);
  if (image.scalar_type() == torch::kUInt8) {
    image = image.contiguous();
    torch::Tensor result = torch::empty(image.sizes(), torch::kFloat32);
    std::copy_n(image.const_data_ptr<uint8_t>(), image.numel(), result.mutable_data_ptr<float>());
    return result;
  }
  if (!image.is_contiguous()) return image.contiguous();
  // Memory that is not LibTorch's own (a mapped file, somebody's vector) cannot be resized.
  const bool ours =
      image.use_count() == 1 && image.storage().use_count() == 1 && image.storage().resizable();
  return ours ? image : image.clone();
}

std::span<float> samples(torch::Tensor& floats) {
  return {floats.mutable_data_ptr<float>(), static_cast<size_t>(floats.numel())};
}

io::ConstPlanes planes(const torch::Tensor& floats, const Sides& s) {
  return {floats.const_data_ptr<float>(), s.channels * s.depth, s.height, s.width};
}

io::Planes planes(torch::Tensor& floats, const Sides& s) {
  return {floats.mutable_data_ptr<float>(), s.channels * s.depth, s.height, s.width};
}

double background(const torch::Tensor& image) { return image.min().item<double>(); }

// Eight sums side by side, so that the compiler can use vector registers; differences from the first
// value, so that a large mean does not drown the deviation.
Statistics statistics(std::span<const float> values) {
  constexpr size_t kLanes = 8;
  const float first = values[0];
  std::array<float, kLanes> low, high;
  std::array<double, kLanes> sum{}, squares{};
  low.fill(first);
  high.fill(first);
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (size_t k = 0; k < kLanes; ++k) {
      const float value = values[i + k];
      low[k] = value < low[k] ? value : low[k];
      high[k] = value > high[k] ? value : high[k];
      const double away = static_cast<double>(value) - first;
      sum[k] += away;
      squares[k] += away * away;
    }
  for (; i < values.size(); ++i) {
    low[0] = std::min(low[0], values[i]);
    high[0] = std::max(high[0], values[i]);
    const double away = static_cast<double>(values[i]) - first;
    sum[0] += away;
    squares[0] += away * away;
  }
  for (size_t k = 1; k < kLanes; ++k) {
    low[0] = std::min(low[0], low[k]);
    high[0] = std::max(high[0], high[k]);
    sum[0] += sum[k];
    squares[0] += squares[k];
  }
  const auto count = static_cast<double>(values.size());
  const double away = sum[0] / count;
  return {low[0], high[0], first + away,
          std::sqrt(std::max(0.0, squares[0] / count - away * away))};
}

double draw(const std::vector<double>& range, Random& random) {
  const double low = range.size() == 1 ? -range[0] : range[0];
  return random.uniform(low, range.back());
}

void check_count(std::string_view setting, const std::vector<double>& numbers, size_t least,
                 size_t most) {
  if (numbers.size() >= least && numbers.size() <= most) return;
  throw config_error(
      fmt::format("{}: found {} numbers, wanted {}", setting, numbers.size(),
                  least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most)));
}

}  // namespace fovea::transforms
