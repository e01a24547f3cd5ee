#include "fovea/transforms/intensity/intensity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "transforms/image_values.h"

namespace fovea::transforms {

namespace {

constexpr size_t kQuantiles = 4096;

/// The normal distribution at (i + 1/2) / 4096, scaled to standard deviation 1.
const std::array<float, kQuantiles>& normal_quantiles() {
  static const std::array<float, kQuantiles> table = [] {
    std::array<double, kQuantiles> exact{};
    double squares = 0;
    double x = 0;
    for (size_t i = kQuantiles / 2; i < kQuantiles; ++i) {
      const double tail = 1 - (static_cast<double>(i) + 0.5) / kQuantiles;
      // Newton on log(tail), which is nearly a parabola: it converges from the value before.
      for (int step = 0; step < 20; ++step) {
        const double q = 0.5 * std::erfc(x / std::numbers::sqrt2);
        const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
        x += q / density * std::log(q / tail);
      }
      exact[i] = x;
      exact[kQuantiles - 1 - i] = -x;
      squares += 2 * x * x;
    }
    std::array<float, kQuantiles> scaled{};
    const double deviation = std::sqrt(squares / kQuantiles);
    for (size_t i = 0; i < kQuantiles; ++i) scaled[i] = static_cast<float>(exact[i] / deviation);
    return scaled;
  }();
  return table;
}

}  // namespace

TransformPtr brightness(const BrightnessOptions& options) {
  return made(options.probability, [options](torch::Tensor image, Random& random) {
    image = floats(std::move(image));
    const auto values = samples(image);
    const Statistics s = statistics(values);
    const auto shift = static_cast<float>(random.uniform(-options.amount, options.amount) *
                                          (static_cast<double>(s.high) - s.low));
    for (float& value : values) value += shift;
    return image;
  });
}

TransformPtr contrast(const ContrastOptions& options) {
  return made(options.probability, [options](torch::Tensor image, Random& random) {
    image = floats(std::move(image));
    const auto values = samples(image);
    const auto mean = static_cast<float>(statistics(values).mean);
    const auto factor = static_cast<float>(random.uniform(1 - options.amount, 1 + options.amount));
    for (float& value : values) value = mean + factor * (value - mean);
    return image;
  });
}

TransformPtr gamma(const GammaOptions& options) {
  return made(options.probability, [options](torch::Tensor image, Random& random) {
    image = floats(std::move(image));
    const auto values = samples(image);
    const Statistics s = statistics(values);
    const double most = std::log1p(options.amount);
    const auto exponent = static_cast<float>(std::exp(random.uniform(-most, most)));
    const float range = s.high - s.low;
    if (range <= 0) return image;
    for (float& value : values) value = s.low + range * std::pow((value - s.low) / range, exponent);
    return image;
  });
}

TransformPtr noise(const NoiseOptions& options) {
  return made(options.probability, [options](torch::Tensor image, Random& random) {
    image = floats(std::move(image));
    const auto values = samples(image);
    const auto deviation =
        static_cast<float>(random.uniform(0, options.std) * statistics(values).deviation);
    const auto& quantiles = normal_quantiles();
    // Twelve bits a pixel: two pixels from each draw.
    for (size_t i = 0; i < values.size(); i += 2) {
      const uint32_t bits = random.bits();
      values[i] += deviation * quantiles[bits >> 20];
      if (i + 1 < values.size()) values[i + 1] += deviation * quantiles[bits & 0xFFF];
    }
    return image;
  });
}

TransformPtr blur(const BlurOptions& options) {
  check_count("sigma", options.sigma, 1, 2);
  return made(options.probability, [options](torch::Tensor image, Random& random) {
    const Sides s = sides(image);
    const torch::Tensor source = floats(std::move(image));
    torch::Tensor result = torch::empty(source.sizes(), torch::kFloat32);
    io::gaussian_blur(planes(source, s), planes(result, s),
                      random.uniform(options.sigma.front(), options.sigma.back()));
    return result;
  });
}

TransformPtr cutout(const CutoutOptions& options) {
  return made(options.probability, [options](torch::Tensor image, Random& random) {
    const Sides s = sides(image);
    image = floats(std::move(image));
    const auto values = samples(image);
    const auto fill = static_cast<float>(options.fill ? *options.fill : statistics(values).mean);
    const auto length = [&](int64_t side) {
      return std::llround(options.size * static_cast<double>(side));
    };
    const int64_t height = length(s.height);
    const int64_t width = length(s.width);
    for (int64_t box = 0; box < options.count; ++box) {
      const int64_t top = random.below(s.height - height + 1);
      const int64_t left = random.below(s.width - width + 1);
      for (int64_t plane = 0; plane < s.channels * s.depth; ++plane)
        for (int64_t row = top; row < top + height; ++row)
          std::fill_n(values.data() + (plane * s.height + row) * s.width + left, width, fill);
    }
    return image;
  });
}

TransformPtr clahe(const ClaheOptions& options) {
  return made([options](torch::Tensor image, Random&) {
    const Sides s = sides(image);
    if (options.tiles > std::min(s.height, s.width))
      throw config_error("tiles: " + std::to_string(options.tiles) +
                         " along each side are more than the pixels of the image " +
                         shape_text(image));
    const bool bytes = image.scalar_type() == torch::kUInt8;
    image = floats(std::move(image));
    const auto values = samples(image);
    Statistics range{.low = 0, .high = 255};
    if (!bytes) range = statistics(values);
    const float width = range.high - range.low;
    if (width <= 0) return image;
    for (float& value : values) value = (value - range.low) / width;
    torch::Tensor result = torch::empty(image.sizes(), torch::kFloat32);
    io::clahe(planes(std::as_const(image), s), planes(result, s), options.clip, options.tiles);
    for (float& value : samples(result)) value = range.low + width * value;
    return result;
  });
}

}  // namespace fovea::transforms
