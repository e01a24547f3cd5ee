// Parser: src/io/png.cpp src/io/png_filters.cpp
// Seeds: tests/reference/images/*.png
// A file, whose checksums are made right; or, where it is none, what one is made of: width, height,
// bits, colour, interlacing, then rows, of which the first bytes are also the palette.
#include <zlib.h>

#include "fuzz/support/images.h"

namespace {

using fovea::fuzz::Input;

constexpr size_t kSignature = 8;

std::string big_endian(size_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

uint32_t checksum(std::string_view text) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

std::string with_checksums(std::string file) {
  for (size_t at = kSignature; file.size() - at >= 12;) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<uint8_t>(file[at + i]);
    if (length > file.size() - at - 12) break;
    file.replace(at + 8 + length, 4,
                 big_endian(checksum(std::string_view(file).substr(at + 4, 4 + length))));
    at += length + 12;
  }
  return file;
}

std::string chunk(const std::string& type, const std::string& data) {
  return big_endian(data.size()) + type + data + big_endian(checksum(type + data));
}

std::string made_of(Input input) {
  const size_t width = input.byte(), height = input.byte();
  const uint8_t kind = input.byte();
  std::string header = big_endian(width) + big_endian(height);
  header += {static_cast<char>(1 << (kind & 7) % 5), "\0\2\3\4\6\1"[(kind >> 3) % 6], '\0', '\0',
             static_cast<char>(kind >> 7)};
  const std::string rows(input.rest());
  uLongf size = compressBound(rows.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(rows.data()), rows.size(), 1);
  packed.resize(size);
  const size_t half = packed.size() / (1 + kind % 2);  // in one IDAT or in two
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) +
         chunk("PLTE", rows.substr(0, std::min<size_t>(rows.size() / 3 * 3, 48))) +
         chunk("IDAT", packed.substr(0, half)) +
         (half < packed.size() ? chunk("IDAT", packed.substr(half)) : "") + chunk("IEND", "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  const Input input(data, size);
  const bool whole = io::is_png(input.rest());
  const std::string file = whole ? with_checksums(std::string(input.rest())) : made_of(input);
  return fuzz::decode_image(io::decode_png, reinterpret_cast<const uint8_t*>(file.data()),
                            file.size());
}
