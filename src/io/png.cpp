#include <fmt/format.h>

#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "fovea/storage/text.h"
#include "io/bytes.h"
#include "io/crc32.h"
#include "io/opencv.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSignature{"\x89PNG\r\n\x1a\n", 8};
constexpr size_t kAroundChunk = 12;  // bytes of length, type and CRC

enum Colour { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

struct PngHeader {
  Image image;  // without pixels
  int bits = 0;
  int colour = 0;
};

PngHeader read_header(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  if (!is_png(file))
    throw refusal("PNG", path,
                  "it does not start with the signature of PNG; check what the file is");
  if (file.size() < 33 || file.substr(12, 4) != "IHDR" || u32_at(file, 8, Order::big) != 13) {
    throw refusal(
        "PNG", path,
        fmt::format("found {} bytes and no whole header; the file is cut off", file.size()));
  }
  PngHeader header;
  header.image.width = u32_at(file, 16, Order::big);
  header.image.height = u32_at(file, 20, Order::big);
  header.bits = file[24];
  header.colour = file[25];
  const bool grey = header.colour == kGrey || header.colour == kGreyAlpha;
  header.image.channels = grey ? 1 : 3;
  header.image.sample = header.bits == 16 ? Sample::u16 : Sample::u8;
  check_size("PNG", path, header.image, limits);
  return header;
}

// Walks the chunks, checks each CRC and that IEND is there, and returns a file of the critical
// chunks alone: libpng prints complaints about the others (colour profiles above all), and nothing
// here uses them. `storage` holds the copy where one is needed.
std::string_view critical_chunks(std::string_view file, const fs::path& path, Image& image,
                                 std::string& storage) {
  std::vector<std::string_view> kept{kSignature};
  size_t at = kSignature.size();
  bool dropped = false, transparent = false;
  for (;;) {
    if (file.size() - at < kAroundChunk ||
        u32_at(file, at, Order::big) > file.size() - at - kAroundChunk) {
      throw refusal(
          "PNG", path,
          fmt::format(
              "it ends inside the chunk at byte {}, found {} bytes in all; the end marker IEND is "
              "missing: the file is cut off, copy it again",
              at, file.size()));
    }
    const size_t length = u32_at(file, at, Order::big);
    const std::string_view type = file.substr(at + 4, 4);
    const uint32_t found = crc32(file.substr(at + 4, length + 4));
    if (found != u32_at(file, at + 8 + length, Order::big)) {
      throw refusal(
          "PNG", path,
          fmt::format(
              "the chunk {} at byte {} has a wrong checksum: the file is damaged, copy it again",
              storage::escaped(type), at));
    }
    // Bit 5 of the first letter marks a chunk that a decoder may ignore.
    if ((type[0] & 0x20) == 0)
      kept.push_back(file.substr(at, length + kAroundChunk));
    else
      dropped = true;
    transparent |= type == "tRNS";
    at += length + kAroundChunk;
    if (type == "IEND") break;
  }
  if (transparent) image.notes.push_back("transparent colour ignored");
  if (!dropped) return file.substr(0, at);
  for (const std::string_view chunk : kept) storage += chunk;
  return storage;
}

}  // namespace

bool is_png(std::string_view head) { return head.starts_with(kSignature); }

Image decode_png(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  PngHeader header = read_header(file, path, limits);
  Image image = std::move(header.image);
  std::string copy;
  const std::string_view chunks = critical_chunks(file, path, image, copy);
  if (header.colour == kPalette) image.notes.push_back("palette expanded to RGB");
  if (header.colour == kGreyAlpha || header.colour == kRgba)
    image.notes.push_back("alpha channel dropped");
  if (header.colour == kGrey && header.bits < 8) {
    image.notes.push_back(fmt::format("grey of {} bit(s) scaled to 0..255", header.bits));
  }
  image.pixels.resize(static_cast<size_t>(image.samples() * bytes_of(image.sample)));
  const int colour = image.channels == 3 ? cv::IMREAD_COLOR : cv::IMREAD_GRAYSCALE;
  decode_frame("PNG", path, chunks, cv::IMREAD_ANYDEPTH | colour, image, 0);
  return image;
}

Image read_png(const fs::path& path, const ImageLimits& limits) {
  return decode_png(storage::read_file(path, limits.max_decoded_bytes), path, limits);
}

void write_png(const fs::path& path, const Image& image) {
  prepare_opencv();
  const bool known_sample = image.sample == Sample::u8 || image.sample == Sample::u16;
  if (image.frames != 1 || !known_sample || (image.channels != 1 && image.channels != 3)) {
    throw config_error(fmt::format(
        "writing PNG file {}: found {} frames, {} channels, {} bytes a sample; wanted 1 frame "
        "with 1 or 3 channels of 8 or 16 bits",
        storage::shown(path), image.frames, image.channels, bytes_of(image.sample)));
  }
  cv::Mat pixels = frame_matrix(const_cast<Image&>(image), 0);
  if (image.channels == 3) {
    cv::Mat bgr;
    cv::cvtColor(pixels, bgr, cv::COLOR_RGB2BGR);
    pixels = bgr;
  }
  std::vector<uchar> file;
  try {
    cv::imencode(".png", pixels, file);
  } catch (const cv::Exception&) {
    throw config_error(fmt::format("writing PNG file {}: OpenCV cannot encode {} x {} pixels",
                                   storage::shown(path), image.width, image.height));
  }
  storage::write_file_atomically(path, {reinterpret_cast<const char*>(file.data()), file.size()});
}

}  // namespace fovea::io
