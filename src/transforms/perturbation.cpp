#include "fovea/transforms/perturbation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/io/image_file.h"
#include "fovea/io/jpeg_writer.h"
#include "fovea/transforms/intensity/intensity.h"
#include "fovea/transforms/spatial/warps.h"
#include "transforms/image_values.h"

namespace fovea::transforms {
namespace {

TransformPtr noise_of(double strength) {
  return made([strength](torch::Tensor image, Random& random) {
    image = floats(std::move(image));
    const auto values = samples(image);
    const double deviation = strength * statistics(values).deviation;
    for (float& value : values) value += static_cast<float>(deviation * random.normal());
    return image;
  });
}

TransformPtr blur_of(double strength) {
  return blur({.sigma = {strength, strength}, .probability = 1});
}

TransformPtr contrast_of(double strength) {
  return made([strength](torch::Tensor image, Random&) {
    image = floats(std::move(image));
    const auto values = samples(image);
    const auto mean = static_cast<float>(statistics(values).mean);
    for (float& value : values) value = mean + static_cast<float>(1 - strength) * (value - mean);
    return image;
  });
}

/// To the left or to the right, which the case draws.
class Rotation final : public Transform {
 public:
  explicit Rotation(double degrees)
      : left_(rotate({.degrees = {degrees, degrees}})),
        right_(rotate({.degrees = {-degrees, -degrees}})) {}
  void apply_to(Scene& scene, Random& random) const override {
    (random.chance(0.5) ? left_ : right_)->apply_to(scene, random);
  }

 private:
  TransformPtr left_, right_;
};

TransformPtr rotation_of(double strength) { return std::make_shared<Rotation>(strength); }

TransformPtr window_of(double strength) {
  return made([strength](torch::Tensor image, Random&) {
    image = floats(std::move(image));
    const auto values = samples(image);
    std::vector<float> sorted(values.begin(), values.end());
    const auto clipped =
        std::min(static_cast<size_t>(strength * static_cast<double>(sorted.size())),
                 (sorted.size() - 1) / 2);
    std::ranges::nth_element(sorted, sorted.begin() + static_cast<int64_t>(clipped));
    const float low = sorted[clipped];
    std::ranges::nth_element(sorted, sorted.end() - 1 - static_cast<int64_t>(clipped));
    const float high = sorted[sorted.size() - 1 - clipped];
    for (float& value : values) value = std::clamp(value, low, high);
    return image;
  });
}

/// Through 8 bits: what lies between the least and the largest value becomes 0 to 255.
torch::Tensor through_jpeg(torch::Tensor image, int quality) {
  image = floats(std::move(image));
  const Sides s = sides(image);
  const Statistics range = statistics(samples(image));
  const float span = range.high - range.low;
  if (!(span > 0)) return image;
  const int64_t together = s.channels == 3 ? 3 : 1;  // colour is compressed as such
  const int64_t plane = s.height * s.width;
  float* values = image.mutable_data_ptr<float>();
  for (int64_t channel = 0; channel < s.channels; channel += together)
    for (int64_t slice = 0; slice < s.depth; ++slice) {
      const auto at = [&](int64_t c) { return values + ((channel + c) * s.depth + slice) * plane; };
      Image eight{.height = s.height, .width = s.width, .channels = together};
      eight.pixels.resize(static_cast<size_t>(plane * together));
      auto* bytes = eight.data<uint8_t>();
      for (int64_t c = 0; c < together; ++c)
        for (int64_t i = 0; i < plane; ++i)
          bytes[i * together + c] = static_cast<uint8_t>(
              std::lround(255 * std::clamp((at(c)[i] - range.low) / span, 0.0F, 1.0F)));
      const Image read = io::decode_jpeg(io::encode_jpeg(eight, quality), "");
      for (int64_t c = 0; c < together; ++c)
        for (int64_t i = 0; i < plane; ++i)
          at(c)[i] =
              range.low + span * static_cast<float>(read.data<uint8_t>()[i * together + c]) / 255;
    }
  return image;
}

TransformPtr jpeg_of(double strength) {
  const int quality = std::clamp(static_cast<int>(std::lround(100 - strength)), 1, 100);
  return made(
      [quality](torch::Tensor image, Random&) { return through_jpeg(std::move(image), quality); });
}

}  // namespace

std::span<const Perturbation> perturbations() {
  static const std::vector<Perturbation> kAll{
      {"noise", "standard deviations of the image", {0.1, 0.25, 0.5, 1}, noise_of},
      {"blur", "pixels", {0.5, 1, 2, 4}, blur_of},
      {"contrast", "share of it that is lost", {0.2, 0.4, 0.6, 0.8}, contrast_of},
      {"rotation", "degrees", {5, 10, 20, 30}, rotation_of},
      {"window", "share of the pixels clipped at either end", {0.01, 0.05, 0.1, 0.2}, window_of},
      {"jpeg", "100 - quality", {10, 30, 60, 90}, jpeg_of},
  };
  return kAll;
}

const Perturbation& perturbation(std::string_view name) {
  std::vector<std::string> known;
  for (const Perturbation& one : perturbations()) {
    if (one.name == name) return one;
    known.emplace_back(one.name);
  }
  const std::string near = nearest(name, known);
  throw config_error(fmt::format("found no perturbation '{}'{}; known here: {}", name,
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near),
                                 join(known)));
}

}  // namespace fovea::transforms
