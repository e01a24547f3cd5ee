#include <algorithm>
#include <string>

#include "fovea/core/error.h"
#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "io/bytes.h"
#include "io/image_reading.h"
#include "io/png.h"
#include "io/tiff.h"

namespace fovea::io {
namespace {

constexpr int64_t kHeadOfColours = 1 << 16;  // of a BMP or a GIF: palette and comments come first
constexpr int64_t kMostSegments = 4096;      // of a JPEG before its frame header

/// Pieces of a file; an io Error where it is shorter.
class Pieces {
 public:
  explicit Pieces(const std::filesystem::path& path) : file_(path) {}
  std::string at(int64_t offset, int64_t bytes) const {
    std::string piece(static_cast<size_t>(bytes), '\0');
    file_.read(offset, std::as_writable_bytes(std::span(piece)));
    return piece;
  }

 private:
  storage::InputFile file_;
};

StoredImage of_png(std::string_view head) {
  const int bits = static_cast<unsigned char>(head[24]), colour = head[25];
  const bool grey = colour == kPngGrey || colour == kPngGreyAlpha;
  return {.channels = grey ? 1 : 3, .bits = std::max(bits, 8)};
}

std::optional<StoredImage> of_jpeg(const Pieces& file) {
  int64_t at = 2;
  for (int64_t i = 0; i < kMostSegments; ++i) {
    const std::string head = file.at(at, 4);
    const auto marker = static_cast<unsigned char>(head[1]);
    if (head[0] != '\xff') return {};
    if (marker == 0xff) {
      ++at;
      continue;
    }
    if (marker == 0xd9 || marker == 0xda) return {};
    const bool frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) {
      const std::string body = file.at(at + 4, 6);
      const auto bits = static_cast<unsigned char>(body[0]);
      if (bits < 2 || bits > 16) return {};
      return StoredImage{.channels = static_cast<unsigned char>(body[5]) == 3 ? 3 : 1,
                         .bits = bits};
    }
    at += 2 + u16_at(head, 2, Order::big);
  }
  return {};
}

StoredImage of_tiff(const Pieces& file, std::string_view head) {
  const Order order = head[0] == 'M' ? Order::big : Order::little;
  const int64_t at = u32_at(head, 4, order);
  const int64_t entries = u16_at(file.at(at, 2), 0, order);
  const std::string directory = file.at(at + 2, 12 * entries);
  const auto value = [&](uint16_t tag, int64_t absent) -> int64_t {
    for (size_t entry = 0; entry < directory.size(); entry += 12) {
      if (u16_at(directory, entry, order) != tag) continue;
      const bool is_short = u16_at(directory, entry + 2, order) == 3;
      const bool elsewhere = u32_at(directory, entry + 4, order) > (is_short ? 2 : 1);
      const int64_t place = u32_at(directory, entry + 8, order);
      const std::string bytes = elsewhere ? file.at(place, 4) : directory.substr(entry + 8, 4);
      return is_short ? u16_at(bytes, 0, order) : u32_at(bytes, 0, order);
    }
    return absent;
  };
  constexpr uint16_t kBits = 258, kPhotometric = 262, kFormat = 339;
  const int64_t colour = value(kPhotometric, kBlackIsZero);
  return {.channels = colour == kTiffRgb || colour == kTiffPalette || colour == kYcbcr ? 3 : 1,
          .bits = std::max<int64_t>(value(kBits, 1), 8),
          .floating = value(kFormat, 1) == 3};
}

}  // namespace

std::optional<StoredImage> stored_image(const std::filesystem::path& path) {
  try {
    const Pieces file(path);
    const std::string head = storage::read_head(path, 26);
    if (is_png(head) && head.size() == 26) return of_png(head);
    if (is_jpeg(head)) return of_jpeg(file);
    if (is_tiff(head) && head.size() >= 8) return of_tiff(file, head);
    if (is_bmp(head)) return stored_bmp(storage::read_head(path, kHeadOfColours));
    if (is_gif(head)) return stored_gif(storage::read_head(path, kHeadOfColours));
    if (is_webp(head)) return StoredImage{.channels = 3, .bits = 8};
  } catch (const Error&) {  // shorter than its header says
  }
  return {};
}

}  // namespace fovea::io
