// BMP as Windows and OS/2 write it: MSDN, "Bitmap Storage".
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <string>
#include <vector>

#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "io/bytes.h"
#include "io/image_reading.h"
#include "io/palette.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

constexpr size_t kFileHeader = 14;  // bytes
constexpr uint32_t kCoreHeader = 12, kInfoHeader = 40, kOs2Header = 64;

enum Compression : uint32_t { kPlain = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3, kAlphaFields = 6 };

bool is_header_size(uint32_t size) {
  return size == kCoreHeader || size == kInfoHeader || size == 52 || size == 56 ||
         size == kOs2Header || size == 108 || size == 124;
}

// A channel within a pixel of 16 or 32 bits.
struct Field {
  uint32_t mask = 0;

  int shift() const { return std::countr_zero(mask); }
  uint32_t most() const { return mask >> shift(); }
  bool sound() const { return mask != 0 && std::has_single_bit(most() + 1) && most() <= 255; }
  uint8_t of(uint32_t pixel) const {
    return static_cast<uint8_t>((((pixel & mask) >> shift()) * 255 + most() / 2) / most());
  }
};

struct Header {
  Image image;  // without pixels
  int64_t bits = 0;
  uint32_t compression = kPlain;
  bool top_down = false;
  size_t end = 0;  // where samples may begin
  size_t samples_at = 0;
  Palette palette;               // up to 8 bits
  std::array<Field, 3> fields;   // red, green and blue of 16 and 32 bits
  size_t bytes_of_row() const {  // filled up to whole words
    return (static_cast<size_t>(image.width * bits) + 31) / 32 * 4;
  }
  // Of the row that is stored as number y.
  uint8_t* row(Image& to, int64_t y) const {
    return to.data<uint8_t>() + (top_down ? y : to.height - 1 - y) * to.width * to.channels;
  }
};

[[noreturn]] void refuse_compression(const Header& header, const fs::path& path) {
  const char* what = header.compression == 4   ? "a JPEG image inside"
                     : header.compression == 5 ? "a PNG image inside"
                     : header.compression >= 11 && header.compression <= 13
                         ? "CMYK"
                         : "a compression that does not go with it";
  throw refusal("BMP", path,
                fmt::format("found {}: {} bits, compression {}{}; wanted 1, 4, 8, 16, 24 or 32 "
                            "bits, bit fields or run lengths of rows from below; convert it to PNG",
                            what, header.bits, header.compression,
                            header.top_down ? ", rows from above" : ""));
}

void check_compression(const Header& header, bool os2, const fs::path& path) {
  const int64_t bits = header.bits;
  const auto goes = [&] {
    switch (header.compression) {
      case kPlain:
        return bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32;
      case kRle8:
        return bits == 8 && !header.top_down;
      case kRle4:
        return bits == 4 && !header.top_down;
      case kBitFields:
      case kAlphaFields:
        return (bits == 16 || bits == 32) && !os2;
      default:
        return false;
    }
  };
  if (!goes()) refuse_compression(header, path);
}

void read_palette(Header& header, std::string_view file, size_t at, uint32_t stated,
                  const fs::path& path) {
  const size_t entry = u32_at(file, kFileHeader, Order::little) == kCoreHeader ? 3 : 4;
  const size_t most = size_t{1} << header.bits;
  const size_t room = header.samples_at > at ? (header.samples_at - at) / entry : 0;
  const size_t colours = std::min({stated == 0 ? most : stated, most, room});
  if (colours == 0 || at + colours * entry > file.size()) {
    throw refusal(
        "BMP", path,
        fmt::format("found {} bytes and room for {} colours of the palette at byte {}; it "
                    "is cut off or damaged, copy it again",
                    file.size(), room, at));
  }
  for (size_t i = 0; i < colours; ++i, at += entry) {
    const auto byte = [&](size_t k) { return static_cast<uint8_t>(file[at + k]); };
    header.palette.add({byte(2), byte(1), byte(0)});
  }
  header.image.channels = header.palette.channels();
  header.palette.note(header.image);
}

void read_fields(Header& header, std::string_view file, const fs::path& path) {
  constexpr size_t kMasks = kFileHeader + kInfoHeader;  // within a longer header, or behind it
  const bool given = header.compression != kPlain;
  std::array<uint32_t, 4> masks = {0xff0000, 0xff00, 0xff, 0};
  if (header.bits == 16) masks = {0x7c00, 0x3e0, 0x1f, 0};
  if (given) {
    const uint32_t size = u32_at(file, kFileHeader, Order::little);
    const size_t count = size >= 56 || header.compression == kAlphaFields ? 4 : 3;
    if (file.size() < kMasks + 4 * count)
      throw refusal(
          "BMP", path,
          fmt::format("found {} bytes and no whole header; the file is cut off", file.size()));
    for (size_t i = 0; i < count; ++i) masks[i] = u32_at(file, kMasks + 4 * i, Order::little);
  }
  const uint32_t red = masks[0], green = masks[1], blue = masks[2];
  for (size_t i = 0; i < 3; ++i) header.fields[i].mask = masks[i];
  const bool apart = (red & green) == 0 && (red & blue) == 0 && (green & blue) == 0;
  const bool inside = header.bits == 32 || ((red | green | blue) >> 16) == 0;
  const auto sound = [](const Field& field) { return field.sound(); };
  if (!apart || !inside || !std::ranges::all_of(header.fields, sound)) {
    throw refusal(
        "BMP", path,
        fmt::format("found the masks {:08x}, {:08x} and {:08x} for red, green and blue of "
                    "{} bits, wanted 1 to 8 bits side by side each; convert it to PNG",
                    red, green, blue, header.bits));
  }
  if (masks[3] != 0) header.image.notes.push_back("alpha channel dropped");
  const auto bits = [&](size_t i) { return std::popcount(masks[i]); };
  if (bits(0) != 8 || bits(1) != 8 || bits(2) != 8)
    header.image.notes.push_back(
        fmt::format("colours of {}, {} and {} bits scaled to 0..255", bits(0), bits(1), bits(2)));
}

// Everything in front of the samples, of the whole file or of its first bytes.
Header read_header(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  if (!is_bmp(file))
    throw refusal("BMP", path, "it does not start with the header of BMP; check what the file is");
  const uint32_t size = u32_at(file, kFileHeader, Order::little);
  if (file.size() < kFileHeader + size)
    throw refusal(
        "BMP", path,
        fmt::format("found {} bytes and no whole header; the file is cut off", file.size()));
  Header header;
  header.end = kFileHeader + size;
  header.samples_at = u32_at(file, 10, Order::little);
  Image& image = header.image;
  uint32_t colours = 0;
  if (size == kCoreHeader) {
    image.width = u16_at(file, 18, Order::little);
    image.height = u16_at(file, 20, Order::little);
    header.bits = u16_at(file, 24, Order::little);
  } else {
    image.width = static_cast<int32_t>(u32_at(file, 18, Order::little));
    image.height = static_cast<int32_t>(u32_at(file, 22, Order::little));
    header.top_down = image.height < 0;
    image.height = std::abs(image.height);
    header.bits = u16_at(file, 28, Order::little);
    header.compression = u32_at(file, 30, Order::little);
    colours = u32_at(file, 46, Order::little);
  }
  check_compression(header, size == kOs2Header, path);
  image.channels = 3;
  if (header.bits <= 8) {
    read_palette(header, file, kFileHeader + size, colours, path);
  } else if (header.bits != 24) {
    read_fields(header, file, path);
  }
  check_size("BMP", path, image, limits);
  return header;
}

void put(const Header& header, size_t index, const fs::path& path, uint8_t* to) {
  if (header.palette.put(index, header.image.channels, to)) return;
  throw refusal("BMP", path,
                fmt::format("found colour {} in a palette of {}; write the file again from its "
                            "source",
                            index, header.palette.size()));
}

void decode_row(const Header& header, const uint8_t* row, const fs::path& path, uint8_t* to) {
  const auto width = static_cast<size_t>(header.image.width);
  const auto bits = static_cast<size_t>(header.bits);
  if (bits <= 8) {
    for (size_t x = 0; x < width; ++x, to += header.image.channels) {
      const size_t bit = x * bits;
      put(header, row[bit / 8] >> (8 - bits - bit % 8) & ((1U << bits) - 1), path, to);
    }
  } else if (bits == 24) {
    for (size_t x = 0; x < width; ++x, row += 3) {
      for (int c = 2; c >= 0; --c) *to++ = row[c];
    }
  } else {
    for (size_t x = 0; x < width; ++x, row += bits / 8) {
      uint32_t pixel = row[0] | uint32_t{row[1]} << 8;
      if (bits == 32) pixel |= uint32_t{row[2]} << 16 | uint32_t{row[3]} << 24;
      for (const Field& field : header.fields) *to++ = field.of(pixel);
    }
  }
}

void decode_plain(const Header& header, std::string_view file, const fs::path& path, Image& image) {
  const uint8_t* row = reinterpret_cast<const uint8_t*>(file.data()) + header.samples_at;
  for (int64_t y = 0; y < image.height; ++y, row += header.bytes_of_row())
    decode_row(header, row, path, header.row(image, y));
}

// Run lengths: pairs of a count and a colour (of two colours of 4 bits, by turns); after a count of
// 0 comes the end of a row (0) or of the image (1), a jump to the right and up (2), or that many
// colours as they are, filled up to 16 bits. What is jumped over has colour 0.
class RunLengths {
 public:
  RunLengths(const Header& header, std::string_view file, const fs::path& path, Image& image)
      : header_(header), file_(file), path_(path), image_(image), at_(header.samples_at) {}

  void decode() {
    for (int64_t y = 0; y < image_.height; ++y) {
      uint8_t* to = header_.row(image_, y);
      for (int64_t x = 0; x < image_.width; ++x, to += image_.channels) put(header_, 0, path_, to);
    }
    for (;;) {
      const size_t count = next(), second = next();
      if (count > 0) {
        for (size_t i = 0; i < count; ++i) pixel(colour(second, i));
      } else if (second == 0) {
        x_ = 0;
        ++y_;
      } else if (second == 1) {
        break;
      } else if (second == 2) {
        x_ += static_cast<int64_t>(next());
        y_ += static_cast<int64_t>(next());
      } else {
        literal(second);
      }
    }
    const int64_t jumped = image_.width * image_.height - pixels_;
    if (jumped > 0)
      image_.notes.push_back(
          fmt::format("{} pixels that its run lengths leave out have colour 0", jumped));
  }

 private:
  size_t next() {
    if (at_ >= file_.size()) {
      throw refusal("BMP", path_,
                    fmt::format("its run lengths go on at byte {}, its end; the end marker is "
                                "missing: the file is cut off, copy it again",
                                file_.size()));
    }
    return static_cast<unsigned char>(file_[at_++]);
  }
  // The i-th of a byte.
  size_t colour(size_t byte, size_t i) const {
    return header_.bits == 8 ? byte : i % 2 == 0 ? byte >> 4 : byte & 15;
  }
  void literal(size_t count) {
    const size_t in_byte = header_.bits == 8 ? 1 : 2;
    size_t byte = 0;
    for (size_t i = 0; i < count; ++i) {
      if (i % in_byte == 0) byte = next();
      pixel(colour(byte, i));
    }
    if ((count + in_byte - 1) / in_byte % 2 == 1) next();
  }
  void pixel(size_t index) {
    if (x_ >= image_.width || y_ >= image_.height) {
      throw refusal(
          "BMP", path_,
          fmt::format("its run lengths reach column {} of row {}, outside {} x {} pixels: "
                      "it is damaged, write it again from its source",
                      x_, y_, image_.width, image_.height));
    }
    put(header_, index, path_, header_.row(image_, y_) + x_ * image_.channels);
    ++x_;
    ++pixels_;
  }

  const Header& header_;
  std::string_view file_;
  const fs::path& path_;
  Image& image_;
  size_t at_;
  int64_t x_ = 0, y_ = 0, pixels_ = 0;
};

}  // namespace

bool is_bmp(std::string_view head) {
  return head.starts_with("BM") && head.size() >= kFileHeader + 4 &&
         is_header_size(u32_at(head, kFileHeader, Order::little));
}

StoredImage stored_bmp(std::string_view head) {
  return {.channels = read_header(head, "", {}).image.channels, .bits = 8};
}

Image decode_bmp(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  const Header header = read_header(file, path, limits);
  const bool plain = header.compression != kRle8 && header.compression != kRle4;
  const size_t wanted =
      plain ? header.bytes_of_row() * static_cast<size_t>(header.image.height) : 2;
  if (header.samples_at < header.end || header.samples_at > file.size() ||
      wanted > file.size() - header.samples_at) {
    throw refusal(
        "BMP", path,
        fmt::format("its {} bytes of samples from byte {} on are not between its "
                    "header of {} and its end at {}; it is cut off or damaged, copy it again",
                    wanted, header.samples_at, header.end, file.size()));
  }
  Image image = header.image;
  allocate(image);
  if (plain)
    decode_plain(header, file, path, image);
  else
    RunLengths(header, file, path, image).decode();
  return image;
}

Image read_bmp(const fs::path& path, const ImageLimits& limits) {
  return decode_bmp(storage::read_file(path, limits.max_decoded_bytes), path, limits);
}

}  // namespace fovea::io
