#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <vector>

#include "fovea/storage/text.h"
#include "io/image_reading.h"
#include "io/tiff.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMostTile = 64 << 20;  // bytes of a tile that is larger than its page

// --- A file in memory, as libtiff asks for it
struct Memory {
  std::string_view file;
  uint64_t at = 0;
};

Memory& memory(thandle_t handle) { return *static_cast<Memory*>(handle); }

tmsize_t read(thandle_t handle, void* to, tmsize_t size) {
  Memory& from = memory(handle);
  if (size <= 0 || from.at >= from.file.size()) return 0;
  const size_t count = std::min(static_cast<size_t>(size), from.file.size() - from.at);
  std::memcpy(to, from.file.data() + from.at, count);
  from.at += count;
  return static_cast<tmsize_t>(count);
}
tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }
toff_t seek(thandle_t handle, toff_t offset, int from) {
  Memory& in = memory(handle);
  in.at = offset + (from == SEEK_CUR ? in.at : from == SEEK_END ? in.file.size() : 0);
  return in.at;
}
int close(thandle_t) { return 0; }
toff_t size(thandle_t handle) { return memory(handle).file.size(); }
int map(thandle_t handle, void** base, toff_t* size) {  // libtiff only reads there
  *base = const_cast<char*>(memory(handle).file.data());
  *size = memory(handle).file.size();
  return 1;
}
void unmap(thandle_t, void*, toff_t) {}

// --- What libtiff has to say
struct Complaint {
  bool decoding = false;
  std::array<char, 256> text{};  // the first one

  void note(const char* format, std::va_list values) {
    if (text[0] == '\0') std::vsnprintf(text.data(), text.size(), format, values);
  }
};

int on_error(TIFF*, void* complaint, const char*, const char* format, std::va_list values) {
  static_cast<Complaint*>(complaint)->note(format, values);
  return 1;
}
// These two codecs only warn of damaged samples. Other warnings are of odd tags.
int on_warning(TIFF*, void* data, const char* from, const char* format, std::va_list values) {
  auto& complaint = *static_cast<Complaint*>(data);
  const std::string_view codec = from == nullptr ? "" : from;
  if (complaint.decoding && (codec == "JPEGLib" || codec == "PackBitsDecode"))
    complaint.note(format, values);
  return 1;
}

// Bits, the highest first, become 0 and 255.
void unpack(const std::byte* bits, size_t count, std::byte* to) {
  for (size_t i = 0; i < count; ++i) {
    const bool set = (bits[i / 8] >> (7 - i % 8) & std::byte{1}) != std::byte{0};
    to[i] = set ? std::byte{255} : std::byte{0};
  }
}

// The rows of a page, in the file and in memory.
struct Rows {
  uint32_t width, height;
  size_t pixel;   // bytes; 1 for a bit, once unpacked
  bool packed;    // eight pixels a byte
  std::byte* to;  // row after row

  size_t stored(size_t pixels) const { return packed ? (pixels + 7) / 8 : pixels * pixel; }
  void put(uint32_t x, uint32_t y, size_t pixels, const std::byte* from) const {
    std::byte* target = to + (size_t{y} * width + x) * pixel;
    if (packed)
      unpack(from, pixels, target);
    else
      std::memcpy(target, from, pixels * pixel);
  }
};

bool decode_strips(TIFF* tiff, const Rows& rows) {
  uint32_t in_strip = 0;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &in_strip);
  if (in_strip == 0) return false;
  const size_t row = rows.stored(rows.width);
  in_strip = std::min(in_strip, rows.height);
  std::vector<std::byte> bits(rows.packed ? in_strip * row : 0);
  for (uint32_t y = 0, strip = 0; y < rows.height; y += in_strip, ++strip) {
    const uint32_t count = std::min(in_strip, rows.height - y);
    const auto bytes = static_cast<tmsize_t>(count * row);
    void* target = rows.packed ? bits.data() : rows.to + y * row;
    if (TIFFReadEncodedStrip(tiff, strip, target, bytes) != bytes) return false;
    for (uint32_t i = 0; rows.packed && i < count; ++i)
      rows.put(0, y + i, rows.width, bits.data() + i * row);
  }
  return true;
}

bool decode_tiles(TIFF* tiff, const Rows& rows) {
  uint32_t width = 0, height = 0;
  TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_TILELENGTH, &height);
  const size_t row = rows.stored(width), bytes = TIFFTileSize64(tiff);
  const size_t page = rows.height * rows.stored(rows.width);
  if (bytes == 0 || bytes != row * height || bytes > std::max(page, kMostTile)) return false;
  std::vector<std::byte> tile(bytes);
  for (uint32_t y = 0; y < rows.height; y += height) {
    for (uint32_t x = 0; x < rows.width; x += width) {
      const uint32_t index = TIFFComputeTile(tiff, x, y, 0, 0);
      const auto size = static_cast<tmsize_t>(bytes);
      if (TIFFReadEncodedTile(tiff, index, tile.data(), size) != size) return false;
      const uint32_t columns = std::min(width, rows.width - x);
      for (uint32_t i = 0; i < std::min(height, rows.height - y); ++i)
        rows.put(x, y + i, columns, tile.data() + i * row);
    }
  }
  return true;
}

// Palettes and YCbCr, which libtiff turns into pixels of red, green, blue and alpha.
bool decode_coded(TIFF* tiff, const Rows& rows) {
  std::vector<uint32_t> pixels(size_t{rows.width} * rows.height);
  if (TIFFReadRGBAImageOriented(tiff, rows.width, rows.height, pixels.data(), ORIENTATION_TOPLEFT,
                                1) == 0) {
    return false;
  }
  std::byte* to = rows.to;
  for (const uint32_t pixel : pixels) {
    *to++ = static_cast<std::byte>(TIFFGetR(pixel));
    *to++ = static_cast<std::byte>(TIFFGetG(pixel));
    *to++ = static_cast<std::byte>(TIFFGetB(pixel));
  }
  return true;
}

}  // namespace

struct TiffSamples::Handle {
  Memory memory;
  Complaint complaint;
  TIFF* tiff = nullptr;

  ~Handle() {
    if (tiff != nullptr) TIFFClose(tiff);
  }

  // Opens without reading a directory ("h") and without cutting strips into smaller ones ("c").
  void open(size_t most_bytes) {
    const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(
        TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
    if (!options) throw std::bad_alloc();
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(most_bytes));
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &complaint);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, &complaint);
    tiff = TIFFClientOpenExt("", "rhc", &memory, read, write, seek, close, size, map, unmap,
                             options.get());
  }

  bool decode(const TiffPage& page, std::byte* to) {
    complaint = {};
    uint32_t width = 0, height = 0;
    if (tiff == nullptr || TIFFSetSubDirectory(tiff, page.at) == 0) return false;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    const Image& image = page.image;
    const Rows rows{width, height, static_cast<size_t>(image.channels * bytes_of(image.sample)),
                    page.bits == 1, to};
    if (width != image.width || height != image.height) return false;
    complaint.decoding = true;
    if (page.colour == kTiffPalette || page.colour == kYcbcr) return decode_coded(tiff, rows);
    if (TIFFScanlineSize64(tiff) != rows.stored(width)) return false;
    return TIFFIsTiled(tiff) ? decode_tiles(tiff, rows) : decode_strips(tiff, rows);
  }
};

TiffSamples::TiffSamples(std::string_view file, const fs::path& path)
    : handle_(std::make_unique<Handle>()), path_(path) {
  handle_->memory.file = file;
}

TiffSamples::~TiffSamples() = default;

void TiffSamples::decode(const TiffPage& page, std::byte* to) {
  if (handle_->tiff == nullptr) {
    const Image& image = page.image;  // all pages are of its size
    const int64_t bytes = image.height * image.width * image.channels * bytes_of(image.sample);
    handle_->open(kMostTile + 2 * static_cast<size_t>(bytes));
  }
  const bool decoded = handle_->decode(page, to);
  const char* said = handle_->complaint.text.data();
  if (decoded && *said == '\0') return;
  throw refusal(
      "TIFF", path_,
      fmt::format("the page whose directory is at byte {} is damaged{}{}; write the file "
                  "again from its source",
                  page.at, *said == '\0' ? "" : ", says libtiff: ", storage::escaped(said)));
}

}  // namespace fovea::io
