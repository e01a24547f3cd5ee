#include "fovea/formats/image_tensor.h"

#include <fmt/format.h>

#include <cmath>
#include <type_traits>

#include "fovea/core/error.h"

namespace fovea::formats {
namespace {

template <class Visit>
void with_samples(const Image& image, const Visit& visit) {
  switch (image.sample) {
    case Sample::u8:
      return visit(image.data<uint8_t>());
    case Sample::i8:
      return visit(image.data<int8_t>());
    case Sample::u16:
      return visit(image.data<uint16_t>());
    case Sample::i16:
      return visit(image.data<int16_t>());
    case Sample::u32:
      return visit(image.data<uint32_t>());
    case Sample::i32:
      return visit(image.data<int32_t>());
    case Sample::f32:
      return visit(image.data<float>());
    case Sample::f64:
      return visit(image.data<double>());
  }
}

// Interleaved samples to one plane per channel, or to one grey plane.
template <class From, class To, class Value>
void spread(const From* from, To* to, int64_t pixels, int64_t channels, bool grey, Value value) {
  if (grey) {
    for (int64_t i = 0; i < pixels; ++i) {
      const From* rgb = from + 3 * i;
      const double y = 0.299 * value(rgb[0]) + 0.587 * value(rgb[1]) + 0.114 * value(rgb[2]);
      to[i] = static_cast<To>(std::is_integral_v<To> ? std::lround(y) : y);
    }
    return;
  }
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = 0; i < pixels; ++i)
      to[c * pixels + i] = static_cast<To>(value(from[i * channels + c]));
}

// x - x is 0 for finite numbers alone.
void refuse_not_finite(const torch::Tensor& tensor) {
  const float* values = tensor.const_data_ptr<float>();
  const int64_t count = tensor.numel();
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += values[i] - values[i];
  if (sum == 0) return;
  int64_t first = -1, bad = 0;
  for (int64_t i = 0; i < count; ++i)
    if (!std::isfinite(values[i]) && bad++ == 0) first = i;
  const int64_t width = tensor.size(-1), height = tensor.size(-2);
  throw data_error(
      fmt::format("{} of {} values are not finite (NaN, infinite or beyond float), the first at "
                  "row {}, column {}",
                  bad, count, first / width % height, first % width),
      "write the file again without them");
}

}  // namespace

torch::Tensor to_tensor(const Image& image, int64_t channels) {
  if (channels == 3 && image.channels == 1)
    throw data_error("found 1 channel, wanted 3 (ImageOptions::channels)",
                     "leave that out and repeat the grey channel with the transform channels");
  const bool grey = channels == 1 && image.channels == 3;
  const bool whole = image.sample == Sample::u8 && image.slope == 1 && image.intercept == 0;
  const int64_t planes = grey ? 1 : image.channels;
  std::vector<int64_t> shape{planes, image.height, image.width};
  if (image.frames > 1) shape.insert(shape.begin() + 1, image.frames);
  torch::Tensor tensor = torch::empty(shape, whole ? torch::kUInt8 : torch::kFloat32);
  const int64_t pixels = image.frames * image.height * image.width;
  with_samples(image, [&](const auto* from) {
    if (whole) {
      spread(from, tensor.data_ptr<uint8_t>(), pixels, image.channels, grey,
             [](auto v) { return v; });
    } else {
      spread(from, tensor.data_ptr<float>(), pixels, image.channels, grey,
             [&](auto v) { return static_cast<double>(v) * image.slope + image.intercept; });
      refuse_not_finite(tensor);
    }
  });
  return tensor;
}

}  // namespace fovea::formats
