#include "io/png.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "fovea/storage/text.h"
#include "io/bytes.h"
#include "io/image_reading.h"
#include "io/png_filters.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

constexpr size_t kAroundChunk = 12;   // bytes of length, type and CRC
constexpr size_t kMostPalette = 768;  // bytes
constexpr size_t kMostRatio = 1032;   // of deflate: 258 bytes from two bits

struct Header {
  Image image;  // without pixels
  int bits = 0;
  int colour = 0;
  bool interlaced = false;

  size_t samples_of_pixel() const {
    switch (colour) {
      case kPngRgb:
        return 3;
      case kPngGreyAlpha:
        return 2;
      case kPngRgba:
        return 4;
      default:
        return 1;
    }
  }
  size_t bytes_of_row(int64_t width) const {
    return (static_cast<size_t>(width) * samples_of_pixel() * static_cast<size_t>(bits) + 7) / 8;
  }
};

bool exists(int colour, int bits) {
  switch (colour) {
    case kPngGrey:
      return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
    case kPngPalette:
      return bits == 1 || bits == 2 || bits == 4 || bits == 8;
    case kPngRgb:
    case kPngGreyAlpha:
    case kPngRgba:
      return bits == 8 || bits == 16;
    default:
      return false;
  }
}

Header read_header(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  if (!is_png(file))
    throw refusal("PNG", path,
                  "it does not start with the signature of PNG; check what the file is");
  if (file.size() < 33 || file.substr(12, 4) != "IHDR" || u32_at(file, 8, Order::big) != 13) {
    throw refusal(
        "PNG", path,
        fmt::format("found {} bytes and no whole header; the file is cut off", file.size()));
  }
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(file[at]); };
  Header header;
  header.image.width = u32_at(file, 16, Order::big);
  header.image.height = u32_at(file, 20, Order::big);
  header.bits = byte(24);
  header.colour = byte(25);
  header.interlaced = byte(28) == 1;
  const bool grey = header.colour == kPngGrey || header.colour == kPngGreyAlpha;
  header.image.channels = grey ? 1 : 3;
  header.image.sample = header.bits == 16 ? Sample::u16 : Sample::u8;
  check_size("PNG", path, header.image, limits);
  if (!exists(header.colour, header.bits) || byte(26) != 0 || byte(27) != 0 || byte(28) > 1) {
    throw refusal("PNG", path,
                  fmt::format("found colour type {} of {} bits, compression {}, filters {}, "
                              "interlacing {}, which PNG does not have: the file is damaged, copy "
                              "it again",
                              header.colour, header.bits, byte(26), byte(27), byte(28)));
  }
  return header;
}

struct Chunks {
  std::vector<std::string_view> data;  // of each IDAT, in order
  std::string_view palette;            // red, green and blue of each entry
  bool transparent = false;
  bool animated = false;  // APNG: more images follow the first
};

// Walks the chunks up to IEND and checks each CRC. Those that a decoder may ignore are ignored.
Chunks read_chunks(std::string_view file, const fs::path& path) {
  Chunks chunks;
  size_t at = kPngSignature.size();
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
    const std::string_view type = file.substr(at + 4, 4), data = file.substr(at + 8, length);
    const auto refuse = [&](const char* what) {
      throw refusal("PNG", path,
                    fmt::format("the chunk {} at byte {} {}", storage::escaped(type), at, what));
    };
    if (libdeflate_crc32(0, type.data(), 4 + length) != u32_at(file, at + 8 + length, Order::big))
      refuse("has a wrong checksum: the file is damaged, copy it again");
    if (type == "IEND") return chunks;
    if (type == "IDAT") {
      chunks.data.push_back(data);
    } else if (type == "PLTE") {
      if (!chunks.palette.empty() || length == 0 || length % 3 != 0 || length > kMostPalette)
        refuse("is not a palette of 1 to 256 colours, or the second one: write the file again");
      chunks.palette = data;
    } else if (type == "acTL") {
      chunks.animated = true;
    } else if (type == "tRNS") {
      chunks.transparent = true;
    } else if ((type[0] & 0x20) == 0 && at != kPngSignature.size()) {
      refuse("is unknown or out of place, and critical, not to be ignored: write the file again");
    }
    at += length + kAroundChunk;
  }
}

// One image of every dx-th column from x on and every dy-th row from y on (ISO 15948, 8.2).
struct Pass {
  int64_t x, y, dx, dy;

  int64_t width(const Image& image) const { return (image.width - x + dx - 1) / dx; }
  int64_t height(const Image& image) const { return (image.height - y + dy - 1) / dy; }
};
constexpr Pass kWhole[] = {{0, 0, 1, 1}};
constexpr Pass kAdam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                           {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

std::span<const Pass> passes(const Header& header) {
  return header.interlaced ? std::span<const Pass>(kAdam7) : std::span<const Pass>(kWhole);
}

size_t filtered_bytes(const Header& header) {
  size_t bytes = 0;
  for (const Pass& pass : passes(header)) {
    const int64_t width = pass.width(header.image);
    if (width > 0)
      bytes += static_cast<size_t>(pass.height(header.image)) * (1 + header.bytes_of_row(width));
  }
  return bytes;
}

// The filtered rows of all passes. The header says how many bytes they are, so that the stream can
// neither fill the memory nor leave anything open.
std::unique_ptr<uint8_t[]> inflate(const std::vector<std::string_view>& data, size_t wanted,
                                   const fs::path& path) {
  std::string joined;
  if (data.size() > 1) {
    for (const std::string_view part : data) joined += part;
  }
  const std::string_view stream = data.size() == 1 ? data.front() : joined;
  struct Free {
    void operator()(libdeflate_decompressor* it) const { libdeflate_free_decompressor(it); }
  };
  const std::unique_ptr<libdeflate_decompressor, Free> decompressor(
      libdeflate_alloc_decompressor());
  if (!decompressor) throw std::bad_alloc();
  if (wanted / kMostRatio <= stream.size()) {
    auto rows = std::make_unique_for_overwrite<uint8_t[]>(wanted);
    size_t used = 0, made = 0;
    const libdeflate_result result = libdeflate_zlib_decompress_ex(
        decompressor.get(), stream.data(), stream.size(), rows.get(), wanted, &used, &made);
    if (result == LIBDEFLATE_SUCCESS && made == wanted) return rows;
  }
  throw refusal("PNG", path,
                fmt::format("its {} compressed bytes are not the {} bytes of samples that the "
                            "header says; write the file again from its source",
                            stream.size(), wanted));
}

// Puts a row of a pass where it belongs: value(i, c) is channel c of its pixel i.
template <class T, int64_t kChannels, class Value>
void place(Image& image, const Pass& pass, int64_t y, const Value& value) {
  const int64_t width = pass.width(image);
  T* to = image.data<T>() + ((pass.y + y * pass.dy) * image.width + pass.x) * kChannels;
  for (int64_t i = 0; i < width; ++i, to += pass.dx * kChannels) {
    for (int64_t c = 0; c < kChannels; ++c) to[c] = value(i, c);
  }
}

void expand_palette(const Header& header, std::string_view palette, const uint8_t* row,
                    const Pass& pass, int64_t y, Image& image, const fs::path& path) {
  const int bits = header.bits, most = (1 << bits) - 1;
  place<uint8_t, 3>(image, pass, y, [&](int64_t i, int64_t c) {
    const int64_t bit = i * bits;
    const auto index = static_cast<size_t>(row[bit / 8] >> (8 - bits - bit % 8) & most);
    if (3 * index >= palette.size()) {
      throw refusal("PNG", path,
                    fmt::format("found colour {} in a palette of {}; write the file again from its "
                                "source",
                                index, palette.size() / 3));
    }
    return static_cast<uint8_t>(palette[3 * index + static_cast<size_t>(c)]);
  });
}

void expand_grey(const Header& header, const uint8_t* row, const Pass& pass, int64_t y,
                 Image& image) {
  const int bits = header.bits, most = (1 << bits) - 1;
  place<uint8_t, 1>(image, pass, y, [&](int64_t i, int64_t) {
    const int64_t bit = i * bits;
    return static_cast<uint8_t>((row[bit / 8] >> (8 - bits - bit % 8) & most) * (255 / most));
  });
}

template <int64_t kChannels>
void take_samples(const Header& header, const uint8_t* row, const Pass& pass, int64_t y,
                  Image& image) {
  const auto of_pixel = static_cast<int64_t>(header.samples_of_pixel());
  if (header.bits == 16) {
    place<uint16_t, kChannels>(image, pass, y, [=](int64_t i, int64_t c) {
      const uint8_t* sample = row + 2 * (i * of_pixel + c);
      return static_cast<uint16_t>(sample[0] << 8 | sample[1]);
    });
  } else {
    place<uint8_t, kChannels>(image, pass, y,
                              [=](int64_t i, int64_t c) { return row[i * of_pixel + c]; });
  }
}

void expand(const Header& header, std::string_view palette, const uint8_t* row, const Pass& pass,
            int64_t y, Image& image, const fs::path& path) {
  if (header.colour == kPngPalette)
    return expand_palette(header, palette, row, pass, y, image, path);
  if (header.bits < 8) return expand_grey(header, row, pass, y, image);
  if (image.channels == 3) return take_samples<3>(header, row, pass, y, image);
  take_samples<1>(header, row, pass, y, image);
}

void decode_rows(const Header& header, std::string_view palette, const uint8_t* coded, Image& image,
                 const fs::path& path) {
  // Such rows are stored as the image wants them.
  const bool straight = !header.interlaced && header.bits == 8 &&
                        (header.colour == kPngGrey || header.colour == kPngRgb);
  const size_t pixel = std::max<size_t>(1, header.samples_of_pixel() * header.bits / 8);
  const size_t longest = header.bytes_of_row(image.width);
  const std::vector<uint8_t> zeros(longest);
  std::vector<uint8_t> even(straight ? 0 : longest), odd(straight ? 0 : longest);
  for (const Pass& pass : passes(header)) {
    const size_t bytes = header.bytes_of_row(pass.width(image));
    if (bytes == 0) continue;
    const uint8_t* above = zeros.data();
    for (int64_t y = 0; y < pass.height(image); ++y, coded += 1 + bytes) {
      if (coded[0] >= kPngFilters) {
        throw refusal("PNG", path,
                      fmt::format("found filter {} in row {}, wanted 0 to 4; write the file again "
                                  "from its source",
                                  coded[0], y));
      }
      uint8_t* row = straight     ? image.data<uint8_t>() + static_cast<size_t>(y) * bytes
                     : y % 2 == 0 ? even.data()
                                  : odd.data();
      undo_filter(static_cast<PngFilter>(coded[0]), coded + 1, above, row, bytes, pixel);
      if (!straight) expand(header, palette, row, pass, y, image, path);
      above = row;
    }
  }
}

}  // namespace

bool is_png(std::string_view head) { return head.starts_with(kPngSignature); }

Image decode_png(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  const Header header = read_header(file, path, limits);
  const Chunks chunks = read_chunks(file, path);
  Image image = header.image;
  if (chunks.transparent) image.notes.push_back("transparent colour ignored");
  if (chunks.animated) image.notes.push_back("animated PNG: images after the first are left out");
  if (header.colour == kPngPalette) {
    if (chunks.palette.empty()) throw refusal("PNG", path, "found no palette; it is damaged");
    image.notes.push_back("palette expanded to RGB");
  }
  if (header.colour == kPngGreyAlpha || header.colour == kPngRgba)
    image.notes.push_back("alpha channel dropped");
  if (header.colour == kPngGrey && header.bits < 8)
    image.notes.push_back(fmt::format("grey of {} bit(s) scaled to 0..255", header.bits));
  const auto rows = inflate(chunks.data, filtered_bytes(header), path);
  allocate(image);
  decode_rows(header, chunks.palette, rows.get(), image, path);
  return image;
}

Image read_png(const fs::path& path, const ImageLimits& limits) {
  return decode_png(storage::read_file(path, limits.max_decoded_bytes), path, limits);
}

}  // namespace fovea::io
