#include "io/exif.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "fovea/io/image_file.h"
#include "io/bytes.h"

namespace fovea::io {

int exif_orientation(std::string_view tiff) {
  if (!is_tiff(tiff) || tiff.size() < 8) return 1;
  const Order order = tiff[0] == 'M' ? Order::big : Order::little;
  size_t at = u32_at(tiff, 4, order);
  if (at > tiff.size() || tiff.size() - at < 2) return 1;
  const int entries = u16_at(tiff, at, order);
  at += 2;
  for (int i = 0; i < entries && tiff.size() - at >= 12; ++i, at += 12) {
    if (u16_at(tiff, at, order) != 0x0112) continue;
    const int value = u16_at(tiff, at + 8, order);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

// Rows and columns change places from 5 on, and either may be stored backwards.
void apply_orientation(Image& image, int orientation) {
  if (orientation == 1) return;
  const std::vector<std::byte> stored = image.pixels;
  const int64_t rows = image.height, columns = image.width, channels = image.channels;
  const bool turned = orientation >= 5;
  const bool up = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool back = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  if (turned) std::swap(image.height, image.width);
  std::byte* to = image.pixels.data();
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      const int64_t row = turned ? x : y, column = turned ? y : x;
      const int64_t from =
          (up ? rows - 1 - row : row) * columns + (back ? columns - 1 - column : column);
      to = std::copy_n(stored.data() + from * channels, channels, to);
    }
  }
  image.notes.push_back(fmt::format("EXIF orientation {} applied", orientation));
}

}  // namespace fovea::io
