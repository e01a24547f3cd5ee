#include "io/image_reading.h"

#include <fmt/format.h>

#include "fovea/storage/file.h"

namespace fovea::io {

Error refusal(const char* format, const std::filesystem::path& path, const std::string& what) {
  return data_error(fmt::format("reading {} file {}: {}", format, storage::shown(path), what));
}

void check_size(const char* format, const std::filesystem::path& path, const Image& header,
                const ImageLimits& limits) {
  if (header.width <= 0 || header.height <= 0 || header.frames <= 0) {
    throw refusal(
        format, path,
        fmt::format("found a size of {} x {}, wanted at least 1 x 1", header.width, header.height));
  }
  if (header.width > kLongestSide || header.height > kLongestSide) {
    throw refusal(format, path,
                  fmt::format("its header says {} x {} pixels; a side may have at most {}",
                              header.width, header.height, kLongestSide));
  }
  const double bytes = static_cast<double>(header.frames) * static_cast<double>(header.height) *
                       static_cast<double>(header.width) *
                       static_cast<double>(header.channels * bytes_of(header.sample));
  if (bytes > static_cast<double>(limits.max_decoded_bytes)) {
    throw refusal(
        format, path,
        fmt::format(
            "its header says {} frames of {} x {} pixels: wanted {:.0f} bytes, the limit is {} "
            "(ImageLimits::max_decoded_bytes)",
            header.frames, header.width, header.height, bytes, limits.max_decoded_bytes));
  }
}

void allocate(Image& image) {
  image.pixels.resize(static_cast<size_t>(image.samples() * bytes_of(image.sample)));
}

}  // namespace fovea::io
