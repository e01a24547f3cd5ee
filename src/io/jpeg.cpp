#include <fmt/format.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it
#include <cstring>
#include <string>

#include <jpeglib.h>

#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "fovea/storage/text.h"
#include "io/bytes.h"
#include "io/exif.h"
#include "io/image_reading.h"

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
  bool followed = false;  // by another JPEG image
};

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
      header.followed = file.find("\xff\xd8\xff", at) != std::string_view::npos;
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
      header.bits = static_cast<unsigned char>(segment[0]);
      header.height = u16_at(segment, 1, Order::big);
      header.width = u16_at(segment, 3, Order::big);
      header.components = static_cast<unsigned char>(segment[5]);
    } else if (marker == 0xe1 && header.orientation == 1 && segment.starts_with(kExif)) {
      header.orientation = exif_orientation(segment.substr(kExif.size()));
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

// What libjpeg needs while it decodes. It reports errors by a call that must not return: it jumps
// back into decode_samples, over frames of C alone.
struct Decoder {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];  // of the error, or of the first warning
};

Decoder& decoder_of(j_common_ptr info) { return *static_cast<Decoder*>(info->client_data); }

[[noreturn]] void on_error(j_common_ptr info) {
  Decoder& decoder = decoder_of(info);
  info->err->format_message(info, decoder.message);
  std::longjmp(decoder.escape, 1);
}
void on_message(j_common_ptr info, int level) {
  if (level < 0 && info->err->num_warnings++ == 0)
    info->err->format_message(info, decoder_of(info).message);
}

// Decodes into `to`, which has room for the image of `header`. False with a message where libjpeg
// gave up, where its header says another size, or where it warned of damage in the samples. Holds
// nothing that a jump would leave without its destructor.
bool decode_samples(std::string_view file, const JpegHeader& header, Decoder& decoder,
                    uint8_t* to) {
  jpeg_decompress_struct& info = decoder.info;
  info.err = jpeg_std_error(&decoder.errors);
  info.client_data = &decoder;
  decoder.errors.error_exit = on_error;
  decoder.errors.emit_message = on_message;
  decoder.message[0] = '\0';
  if (setjmp(decoder.escape) != 0) return false;
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  decoder.errors.num_warnings = 0;  // of odd versions and the like
  info.out_color_space = header.components == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_start_decompress(&info);
  if (info.output_width != header.width || info.output_height != header.height ||
      info.output_components != header.components) {
    std::strcpy(decoder.message, "its header is ambiguous");
    return false;
  }
  const int64_t row_bytes = header.width * header.components;
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = to + info.output_scanline * row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return decoder.errors.num_warnings == 0;
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
  allocate(image);
  Decoder decoder{};
  const bool decoded = decode_samples(file, header, decoder, image.data<uint8_t>());
  jpeg_destroy_decompress(&decoder.info);
  if (!decoded) {
    throw refusal(
        "JPEG", path,
        fmt::format("its samples are damaged (libjpeg: {}); write the file again from its "
                    "source",
                    storage::escaped(decoder.message)));
  }
  apply_orientation(image, header.orientation);
  if (header.followed) image.notes.push_back("images after the first of the file are left out");
  return image;
}

Image read_jpeg(const fs::path& path, const ImageLimits& limits) {
  return decode_jpeg(storage::read_file(path, limits.max_decoded_bytes), path, limits);
}

}  // namespace fovea::io
