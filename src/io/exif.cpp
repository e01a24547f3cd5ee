#include "io/exif.h"

#include <fmt/format.h>

#include <opencv2/core.hpp>
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
  const auto matrix = [&image](std::vector<std::byte>& pixels) {
    return cv::Mat(static_cast<int>(image.height), static_cast<int>(image.width),
                   CV_8UC(static_cast<int>(image.channels)), pixels.data());
  };
  std::vector<std::byte> stored = image.pixels;
  const cv::Mat from = matrix(stored);
  const bool transposed = orientation >= 5;
  if (transposed) std::swap(image.height, image.width);
  cv::Mat to = matrix(image.pixels);
  if (transposed)
    cv::transpose(from, to);
  else
    from.copyTo(to);
  const bool up = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool back = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  if (up || back) cv::flip(to, to, up && back ? -1 : up ? 0 : 1);
  image.notes.push_back(fmt::format("EXIF orientation {} applied", orientation));
}

}  // namespace fovea::io
