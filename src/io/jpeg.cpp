#include <fmt/format.h>

#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <optional>
#include <string>

#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "io/bytes.h"
#include "io/opencv.h"
#include "io/picture.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

// Progressive files have about ten scans; thousands of them keep a decoder busy for hours.
constexpr int kMostScans = 500;

struct JpegHeader {
  int process = -1;  // 0 baseline, 1 extended, 2 progressive …: the last digit of the SOF marker
  int bits = 0;
  int64_t height = 0, width = 0;
  int components = 0;
  int orientation = 1;  // EXIF: 1 as stored, 6 to be turned clockwise …
  int scans = 0;
  bool ended = false;
};

// The orientation in an EXIF segment (TIFF with tag 0x0112 in its first directory), 1 where there
// is none.
int exif_orientation(std::string_view exif) {
  if (!exif.starts_with(std::string_view("Exif\0\0", 6)) || exif.size() < 14) return 1;
  const std::string_view tiff = exif.substr(6);
  if (!is_tiff(tiff)) return 1;
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

bool is_frame(int marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

// First byte of the marker that ends the entropy-coded data from `at` on; the size of the file
// where there is none.
size_t end_of_scan(std::string_view file, size_t at) {
  while (at + 1 < file.size()) {
    const void* found = std::memchr(file.data() + at, 0xff, file.size() - at - 1);
    if (found == nullptr) break;
    at = static_cast<size_t>(static_cast<const char*>(found) - file.data());
    const auto next = static_cast<unsigned char>(file[at + 1]);
    const bool restart = next >= 0xd0 && next <= 0xd7;
    if (next != 0 && next != 0xff && !restart) return at;
    at += next == 0xff ? 1 : 2;
  }
  return file.size();
}

// Follows the markers from SOI to EOI.
JpegHeader read_markers(std::string_view file, const fs::path& path) {
  JpegHeader header;
  size_t at = 2;
  while (at + 2 <= file.size()) {
    const auto marker = static_cast<unsigned char>(file[at + 1]);
    if (static_cast<unsigned char>(file[at]) != 0xff) {
      throw refusal("JPEG", path,
                    fmt::format("found no marker at byte {}: the file is damaged", at));
    }
    if (marker == 0xff) {  // filling
      ++at;
      continue;
    }
    at += 2;
    if (marker == 0xd9) {
      header.ended = true;
      break;
    }
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8))
      continue;  // markers without a segment
    if (at + 2 > file.size()) break;
    const size_t length = u16_at(file, at, Order::big);
    if (length < 2 || length > file.size() - at) break;
    const std::string_view segment = file.substr(at + 2, length - 2);
    at += length;
    if (is_frame(marker) && segment.size() >= 6) {
      if (header.process >= 0)
        throw refusal("JPEG", path, "found two frame headers: the file is damaged");
      header.process = marker & 0x0f;
      header.bits = segment[0];
      header.height = u16_at(segment, 1, Order::big);
      header.width = u16_at(segment, 3, Order::big);
      header.components = static_cast<unsigned char>(segment[5]);
    } else if (marker == 0xe1 && header.orientation == 1) {
      header.orientation = exif_orientation(segment);
    } else if (marker == 0xda) {
      ++header.scans;
      at = end_of_scan(file, at);
    }
  }
  return header;
}

void check(const JpegHeader& header, std::string_view file, const fs::path& path) {
  if (header.process < 0) {
    throw refusal(
        "JPEG", path,
        fmt::format("found {} bytes without a frame header; the file is cut off", file.size()));
  }
  if (header.bits != 8 || header.process > 2) {
    throw refusal("JPEG", path,
                  fmt::format("found {} bits and process SOF{}, wanted 8 bits, baseline or "
                              "progressive; convert it to PNG",
                              header.bits, header.process));
  }
  if (header.components != 1 && header.components != 3) {
    throw refusal(
        "JPEG", path,
        fmt::format("found {} components{}, wanted 1 (grey) or 3 (colour); convert it to RGB",
                    header.components, header.components == 4 ? " (CMYK)" : ""));
  }
}

// Turns the picture as EXIF asks for it: bit 0 of orientation - 1 mirrors, and so on by the table
// of EXIF 2.3, 4.6.4.
void apply_orientation(Image& image, int orientation) {
  if (orientation == 1) return;
  const cv::Mat stored = frame_matrix(image, 0).clone();
  if (orientation >= 5) std::swap(image.height, image.width);
  cv::Mat target = frame_matrix(image, 0);
  switch (orientation) {
    case 2:
      cv::flip(stored, target, 1);
      break;
    case 3:
      cv::rotate(stored, target, cv::ROTATE_180);
      break;
    case 4:
      cv::flip(stored, target, 0);
      break;
    case 5:
      cv::transpose(stored, target);
      break;
    case 6:
      cv::rotate(stored, target, cv::ROTATE_90_CLOCKWISE);
      break;
    case 7: {
      cv::Mat turned;
      cv::rotate(stored, turned, cv::ROTATE_180);
      cv::transpose(turned, target);
      break;
    }
    default:
      cv::rotate(stored, target, cv::ROTATE_90_COUNTERCLOCKWISE);
  }
  image.notes.push_back(fmt::format("EXIF orientation {} applied", orientation));
}

}  // namespace

bool is_jpeg(std::string_view head) { return head.starts_with("\xff\xd8\xff"); }

Image decode_jpeg(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  if (!is_jpeg(file))
    throw refusal("JPEG", path,
                  "it does not start with the marker SOI of JPEG; check what the file is");
  const JpegHeader header = read_markers(file, path);
  check(header, file, path);
  Image image;
  image.height = header.height;
  image.width = header.width;
  image.channels = header.components;
  check_size("JPEG", path, image, limits);
  if (!header.ended || header.scans == 0) {
    throw refusal(
        "JPEG", path,
        fmt::format("found {} bytes without the end marker EOI; the file is cut off, copy it again",
                    file.size()));
  }
  if (header.scans > kMostScans) {
    throw refusal("JPEG", path,
                  fmt::format("found {} scans, wanted at most {}", header.scans, kMostScans));
  }
  image.pixels.resize(static_cast<size_t>(image.samples()));
  decode_frame("JPEG", path, file, image.channels == 3 ? cv::IMREAD_COLOR : cv::IMREAD_GRAYSCALE,
               image, 0);
  apply_orientation(image, header.orientation);
  return image;
}

Image read_jpeg(const fs::path& path, const ImageLimits& limits) {
  return decode_jpeg(storage::read_file(path, limits.max_decoded_bytes), path, limits);
}

}  // namespace fovea::io
