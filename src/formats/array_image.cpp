#include "formats/array_image.h"

#include <fmt/format.h>

#include "fovea/core/error.h"

namespace fovea::formats {
namespace {

Sample sample_of(io::DType dtype, const std::string& where) {
  switch (dtype) {
    case io::DType::boolean:
    case io::DType::u8:
      return Sample::u8;
    case io::DType::i8:
      return Sample::i8;
    case io::DType::u16:
      return Sample::u16;
    case io::DType::i16:
      return Sample::i16;
    case io::DType::u32:
      return Sample::u32;
    case io::DType::i32:
      return Sample::i32;
    case io::DType::f32:
      return Sample::f32;
    case io::DType::f64:
      return Sample::f64;
    default:
      throw data_error(fmt::format(
          "{}: found an array of {}, wanted whole numbers of at most 32 bits or floating point",
          where, storage::name_of(dtype)));
  }
}

bool is_channels(int64_t side) { return side == 1 || side == 3; }

/// "" where the sides may mean one thing or another.
std::string told(const std::vector<int64_t>& shape) {
  if (shape.size() == 2) return "hw";
  const bool first = is_channels(shape.front()), last = is_channels(shape.back());
  if (first && last) return "";
  if (shape.size() == 4) return last ? "dhwc" : first ? "cdhw" : "";
  if (last) return "hwc";
  if (shape[0] == 1) return "chw";
  // Of 2, 3 or 4: slices, or the channels of other programs.
  return shape.front() < 5 || shape.back() < 5 ? "" : "dhw";
}

/// Channels from before the pixels to behind them.
template <class T>
void interleave(std::vector<std::byte>& bytes, int64_t channels) {
  const std::vector<std::byte> planes = bytes;
  const T* from = reinterpret_cast<const T*>(planes.data());
  T* to = reinterpret_cast<T*>(bytes.data());
  const int64_t pixels = static_cast<int64_t>(bytes.size() / sizeof(T)) / channels;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = 0; i < pixels; ++i) to[i * channels + c] = from[c * pixels + i];
}

void interleave(std::vector<std::byte>& bytes, int64_t channels, int64_t sample_bytes) {
  switch (sample_bytes) {
    case 1:
      return interleave<uint8_t>(bytes, channels);
    case 2:
      return interleave<uint16_t>(bytes, channels);
    case 4:
      return interleave<uint32_t>(bytes, channels);
    default:
      return interleave<uint64_t>(bytes, channels);
  }
}

}  // namespace

Image array_image(io::Array array, const std::string& where, std::string axes) {
  const std::vector<int64_t>& shape = array.shape;
  Image image;
  image.sample = sample_of(array.dtype, where);
  const bool asked = !axes.empty();
  if (array.size() > 0 && shape.size() >= 2 && shape.size() <= 4) {
    if (!asked) axes = told(shape);
    if (axes.empty())
      throw data_error(
          fmt::format("{}: found an array of shape {}, whose sides may mean one thing or another",
                      where, storage::shape_text(shape)),
          "say with ImageOptions::axes what they are: hw, hwc, chw, dhw, dhwc or cdhw (channels, "
          "depth, height, width)");
  }
  const auto side = [&](char axis) -> int64_t {
    const size_t at = axes.find(axis);
    return at == std::string::npos ? 1 : shape[at];
  };
  if (axes.size() != shape.size() || array.size() == 0 || !is_channels(side('c')))
    throw data_error(fmt::format(
        "{}: found an array of shape {}, wanted {}", where, storage::shape_text(shape),
        asked ? fmt::format("the sides {} of ImageOptions::axes, with 1 or 3 channels", axes)
              : "[height, width] or [depth, height, width], with a side of 1 or 3 for channels"));
  image.frames = side('d');
  image.height = side('h');
  image.width = side('w');
  image.channels = side('c');
  image.pixels = std::move(array.bytes);
  if (axes[0] == 'c' && image.channels > 1)
    interleave(image.pixels, image.channels, bytes_of(image.sample));
  if (axes == "dhw" && !asked)
    image.notes.push_back(fmt::format("an array of shape {} is read as a volume of {} slices",
                                      storage::shape_text(shape), image.frames));
  if (axes[0] == 'c' && !asked && image.channels > 1)
    image.notes.emplace_back("an array with channels first is read as colour");
  return image;
}

}  // namespace fovea::formats
