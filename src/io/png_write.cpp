#include <fmt/format.h>
#include <libdeflate.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "io/bytes.h"
#include "io/image_reading.h"
#include "io/png.h"
#include "io/png_filters.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

constexpr int kLevel = 6;                        // of deflate, 1 .. 12
constexpr size_t kMostInChunk = (1u << 31) - 1;  // bytes

std::string big_endian(uint32_t value) {
  value = swapped(value);
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

void append_chunk(std::string& file, const char* type, std::string_view data) {
  file += big_endian(static_cast<uint32_t>(data.size()));
  const size_t checked = file.size();
  file += type;
  file += data;
  file += big_endian(libdeflate_crc32(0, file.data() + checked, file.size() - checked));
}

// What the samples of a row cost by the rule of thumb of ISO 15948, 12.8: the sum of the distances
// from 0.
int64_t cost(const std::vector<uint8_t>& coded) {
  int64_t sum = 0;
  for (const uint8_t byte : coded) sum += std::abs(static_cast<int8_t>(byte));
  return sum;
}

// All rows, each after its filter.
std::string filtered(const Image& image) {
  const auto pixel = static_cast<size_t>(image.channels * bytes_of(image.sample));
  const size_t bytes = static_cast<size_t>(image.width) * pixel;
  const auto* samples = reinterpret_cast<const uint8_t*>(image.pixels.data());
  std::vector<uint8_t> above(bytes, 0), row(bytes), coded(bytes), best(bytes);
  std::string rows;
  rows.reserve(static_cast<size_t>(image.height) * (1 + bytes));
  for (int64_t y = 0; y < image.height; ++y, samples += bytes) {
    row.assign(samples, samples + bytes);
    if (image.sample == Sample::u16) {
      for (size_t i = 0; i < bytes; i += 2) std::swap(row[i], row[i + 1]);
    }
    int64_t least = -1;
    char chosen = 0;
    for (int i = 0; i < kPngFilters; ++i) {
      const auto filter = static_cast<PngFilter>(i);
      apply_filter(filter, row.data(), above.data(), coded.data(), bytes, pixel);
      const int64_t its_cost = cost(coded);
      if (least >= 0 && its_cost >= least) continue;
      least = its_cost;
      chosen = static_cast<char>(i);
      best.swap(coded);
    }
    rows += chosen;
    rows.append(best.begin(), best.end());
    above.swap(row);
  }
  return rows;
}

std::string deflated(const std::string& rows) {
  struct Free {
    void operator()(libdeflate_compressor* it) const { libdeflate_free_compressor(it); }
  };
  const std::unique_ptr<libdeflate_compressor, Free> compressor(
      libdeflate_alloc_compressor(kLevel));
  if (!compressor) throw std::bad_alloc();
  std::string data(libdeflate_zlib_compress_bound(compressor.get(), rows.size()), '\0');
  data.resize(libdeflate_zlib_compress(compressor.get(), rows.data(), rows.size(), data.data(),
                                       data.size()));
  return data;
}

}  // namespace

void write_png(const fs::path& path, const Image& image) {
  const bool known_sample = image.sample == Sample::u8 || image.sample == Sample::u16;
  const bool sized = image.width > 0 && image.height > 0 && image.width <= kLongestSide &&
                     image.height <= kLongestSide;
  if (image.frames != 1 || !known_sample || (image.channels != 1 && image.channels != 3) ||
      !sized) {
    throw config_error(fmt::format(
        "writing PNG file {}: found {} frames of {} x {} pixels, {} channels, {} bytes a sample; "
        "wanted 1 frame with 1 or 3 channels of 8 or 16 bits, and sides of 1 to {}",
        storage::shown(path), image.frames, image.width, image.height, image.channels,
        bytes_of(image.sample), kLongestSide));
  }
  std::string header = big_endian(static_cast<uint32_t>(image.width)) +
                       big_endian(static_cast<uint32_t>(image.height));
  header += static_cast<char>(8 * bytes_of(image.sample));
  header += static_cast<char>(image.channels == 3 ? kPngRgb : kPngGrey);
  header.append(3, '\0');  // deflate, the five filters, no interlacing
  std::string file(kPngSignature);
  append_chunk(file, "IHDR", header);
  const std::string data = deflated(filtered(image));
  for (size_t at = 0; at < data.size(); at += kMostInChunk) {
    append_chunk(file, "IDAT", std::string_view(data).substr(at, kMostInChunk));
  }
  append_chunk(file, "IEND", {});
  storage::write_file_atomically(path, file);
}

}  // namespace fovea::io
