#include "fovea/transforms/intensity/scaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "transforms/image_values.h"

namespace fovea::transforms {

namespace {

// low becomes 0, high becomes 1.
void stretch(std::span<float> values, double low, double high, bool clip) {
  if (high <= low) {
    std::ranges::fill(values, 0.f);
    return;
  }
  const auto factor = static_cast<float>(1 / (high - low));
  const auto start = static_cast<float>(low);
  if (clip)
    for (float& value : values) value = std::min(std::max((value - start) * factor, 0.f), 1.f);
  else
    for (float& value : values) value = (value - start) * factor;
}

// Between the two nearest order statistics, as numpy's percentile does.
double percentile(std::vector<float>& values, double percent) {
  const double position = percent / 100 * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<int64_t>(position);
  std::nth_element(values.begin(), below, values.end());
  const double share = position - std::floor(position);
  if (share == 0) return *below;
  const double above = *std::min_element(below + 1, values.end());
  return *below + share * (above - *below);
}

void check_range(std::string_view setting, const std::vector<double>& range) {
  check_count(setting, range, 2, 2);
  if (range[0] >= range[1])
    throw config_error(fmt::format("{}: found [{}, {}], wanted the lower number first", setting,
                                   range[0], range[1]));
}

/// Each channel · factor[c] + offset[c]; one pair serves all channels.
void per_channel(torch::Tensor& image, const std::vector<double>& mean,
                 const std::vector<double>& std) {
  const int64_t channels = image.size(0);
  const int64_t each = image.numel() / channels;
  float* value = image.mutable_data_ptr<float>();
  for (int64_t c = 0; c < channels; ++c) {
    const auto m = static_cast<float>(mean[mean.size() == 1 ? 0 : c]);
    const auto factor = static_cast<float>(1 / std[std.size() == 1 ? 0 : c]);
    for (int64_t i = 0; i < each; ++i, ++value) *value = (*value - m) * factor;
  }
}

torch::Tensor with_channels(torch::Tensor image, int64_t count) {
  const Sides s = sides(image);
  if (s.channels == count) return image;
  if (s.channels == 1) {
    auto shape = image.sizes().vec();
    shape[0] = count;
    return image.expand(shape).contiguous();
  }
  if (count != 1 || s.channels != 3)
    throw config_error(
        fmt::format("cannot turn {} channels into {}: one can be repeated, three can become one",
                    s.channels, count));
  image = floats(std::move(image));
  torch::Tensor grey = torch::empty(shape({1, s.depth, s.height, s.width, s.volume}));
  const int64_t each = grey.numel();
  const float* rgb = image.const_data_ptr<float>();
  float* to = grey.mutable_data_ptr<float>();
  for (int64_t i = 0; i < each; ++i)
    to[i] = 0.299f * rgb[i] + 0.587f * rgb[each + i] + 0.114f * rgb[2 * each + i];
  return grey;
}

}  // namespace

TransformPtr scale(const ScaleOptions& options) {
  if (!options.range.empty()) check_range("range", options.range);
  check_range("percentiles", options.percentiles);
  return made([options](torch::Tensor image, Random&) {
    image = floats(std::move(image));
    const auto values = samples(image);
    if (!options.range.empty()) {
      stretch(values, options.range[0], options.range[1], options.clip);
    } else if (options.mode == "range") {
      const Statistics s = statistics(values);
      stretch(values, s.low, s.high, options.clip);
    } else if (options.mode == "percentiles") {
      std::vector<float> sorted(values.begin(), values.end());
      double low = percentile(sorted, options.percentiles[0]);
      double high = percentile(sorted, options.percentiles[1]);
      if (high <= low) {  // nearly all pixels are alike, and what there is to see lies beyond
        const Statistics s = statistics(values);
        low = s.low;
        high = s.high;
      }
      stretch(values, low, high, options.clip);
    } else {
      const Statistics s = statistics(values);
      const auto factor = static_cast<float>(s.high > s.low ? 1 / s.deviation : 0);
      const auto mean = static_cast<float>(s.mean);
      for (float& value : values) value = (value - mean) * factor;
    }
    return image;
  });
}

TransformPtr clip(const ClipOptions& options) {
  check_range("range", options.range);
  return made([options](torch::Tensor image, Random&) {
    image = floats(std::move(image));
    const auto low = static_cast<float>(options.range[0]);
    const auto high = static_cast<float>(options.range[1]);
    for (float& value : samples(image)) value = std::min(std::max(value, low), high);
    return image;
  });
}

TransformPtr window(const WindowOptions& options) {
  return made([options](torch::Tensor image, Random&) {
    image = floats(std::move(image));
    stretch(samples(image), options.center - options.width / 2, options.center + options.width / 2,
            true);
    return image;
  });
}

TransformPtr normalize(const NormalizeOptions& options) {
  return made([options](torch::Tensor image, Random&) {
    const int64_t channels = sides(image).channels;
    for (const auto& [name, list] : {std::pair{"mean", options.mean}, {"std", options.std}})
      if (list.size() != 1 && static_cast<int64_t>(list.size()) != channels)
        throw config_error(fmt::format("{}: found {} numbers for the {} channels of {}", name,
                                       list.size(), channels, shape_text(image)));
    image = floats(std::move(image));
    per_channel(image, options.mean, options.std);
    return image;
  });
}

TransformPtr channels(const ChannelsOptions& options) {
  return made([options](torch::Tensor image, Random&) {
    return with_channels(std::move(image), options.count);
  });
}

TransformPtr imagenet(const ImageNetOptions& options) {
  if (!options.range.empty()) check_range("range", options.range);
  return made([options](torch::Tensor image, Random&) {
    image = floats(std::move(image));
    const auto values = samples(image);
    if (options.range.empty()) {
      const Statistics s = statistics(values);
      stretch(values, s.low, s.high, true);
    } else {
      stretch(values, options.range[0], options.range[1], true);
    }
    image = floats(with_channels(std::move(image), 3));
    per_channel(image, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225});
    return image;
  });
}

}  // namespace fovea::transforms
