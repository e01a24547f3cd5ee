#include "io/tiff.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "io/bytes.h"
#include "io/image_reading.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMostPages = 65'535;
constexpr size_t kEntryBytes = 12;

enum Tag : uint16_t {
  kSubfile = 254,
  kWidth = 256,
  kHeight = 257,
  kBits = 258,
  kCompression = 259,
  kPhotometric = 262,
  kDescription = 270,
  kStripOffsets = 273,
  kOrientation = 274,
  kChannels = 277,
  kRowsPerStrip = 278,
  kStripBytes = 279,
  kPlanes = 284,
  kTileOffsets = 324,
  kTileBytes = 325,
  kSampleFormat = 339,
};

// One directory of a TIFF file: where the values of each tag lie. Only whole numbers of 8, 16 and
// 32 bits are looked at.
class Directory {
 public:
  Directory(std::string_view file, size_t at, Order order, const fs::path& path)
      : file_(file), order_(order), path_(path) {
    const size_t entries = at < file.size() && file.size() - at >= 2 ? u16_at(file, at, order) : 0;
    if (entries == 0 || file.size() - at < 2 + entries * kEntryBytes + 4) {
      throw refusal(
          "TIFF", path,
          fmt::format(
              "the directory at byte {} is not inside the {} bytes of the file; it is cut off", at,
              file.size()));
    }
    for (size_t i = 0; i < entries; ++i) {
      const size_t entry = at + 2 + i * kEntryBytes;
      entries_.emplace(u16_at(file, entry, order), entry);
    }
    next_ = u32_at(file, at + 2 + entries * kEntryBytes, order);
    bytes_ = 2 + entries * kEntryBytes + 4;
  }

  size_t next() const { return next_; }
  size_t bytes() const { return bytes_; }
  bool has(Tag tag) const { return entries_.count(tag) > 0; }
  int64_t one(Tag tag, int64_t absent) const { return has(tag) ? all(tag).front() : absent; }

  /// Of a tag of letters; "" where there is none.
  std::string_view letters(Tag tag) const {
    const auto found = entries_.find(tag);
    if (found == entries_.end() || u16_at(file_, found->second + 2, order_) != 2) return "";
    const size_t count = u32_at(file_, found->second + 4, order_);
    const size_t at = count > 4 ? u32_at(file_, found->second + 8, order_) : found->second + 8;
    return at < file_.size() ? file_.substr(at, count) : "";
  }

  std::vector<int64_t> all(Tag tag) const {
    const auto found = entries_.find(tag);
    if (found == entries_.end())
      throw refusal("TIFF", path_, fmt::format("tag {} is missing", int{tag}));
    const int type = u16_at(file_, found->second + 2, order_);
    const size_t count = u32_at(file_, found->second + 4, order_);
    const size_t bytes = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;
    size_t at = found->second + 8;
    if (count * bytes > 4) at = u32_at(file_, at, order_);
    if (bytes == 0 || count == 0 || at > file_.size() || count > (file_.size() - at) / bytes) {
      throw refusal("TIFF", path_,
                    fmt::format("tag {} has {} values of type {} at byte {}, wanted whole numbers "
                                "inside the {} bytes of "
                                "the file; it is cut off or damaged",
                                int{tag}, count, type, at, file_.size()));
    }
    std::vector<int64_t> values(count);
    for (size_t i = 0; i < count; ++i, at += bytes) {
      values[i] = bytes == 1   ? static_cast<unsigned char>(file_[at])
                  : bytes == 2 ? u16_at(file_, at, order_)
                               : u32_at(file_, at, order_);
    }
    return values;
  }

 private:
  std::string_view file_;
  Order order_;
  const fs::path& path_;
  std::map<uint16_t, size_t> entries_;
  size_t next_ = 0, bytes_ = 0;
};

bool alike(const TiffPage& a, const TiffPage& b) {
  return a.image.height == b.image.height && a.image.width == b.image.width &&
         a.image.channels == b.image.channels && a.image.sample == b.image.sample &&
         a.colour == b.colour;
}

std::optional<Sample> sample_of(int64_t bits, int64_t format) {
  const bool is_unsigned = format == 1 || format == 4, is_signed = format == 2,
             is_float = format == 3;
  if ((bits == 1 || bits == 8) && is_unsigned) return Sample::u8;
  if (bits == 8 && is_signed) return Sample::i8;
  if (bits == 16 && is_unsigned) return Sample::u16;
  if (bits == 16 && is_signed) return Sample::i16;
  if (bits == 32 && is_signed) return Sample::i32;
  if (bits == 32 && is_float) return Sample::f32;
  if (bits == 64 && is_float) return Sample::f64;
  return std::nullopt;
}

// Every strip or tile must lie inside the file, and uncompressed ones must hold all samples.
void check_data(const Directory& directory, const TiffPage& page, std::string_view file,
                const fs::path& path) {
  const bool tiled = directory.has(kTileOffsets);
  const auto offsets = directory.all(tiled ? kTileOffsets : kStripOffsets);
  const auto counts = directory.all(tiled ? kTileBytes : kStripBytes);
  const auto size = static_cast<int64_t>(file.size());
  int64_t present = 0;
  for (size_t i = 0; i < std::min(offsets.size(), counts.size()); ++i) {
    if (offsets[i] > size || counts[i] > size - offsets[i]) {
      throw refusal("TIFF", path,
                    fmt::format("strip or tile {} has {} bytes at byte {}, the file has {}: it is "
                                "cut off, copy it again",
                                i, counts[i], offsets[i], size));
    }
    present += counts[i];
  }
  const Image& image = page.image;
  const int64_t channels = page.colour == kTiffPalette ? 1 : image.channels;
  const int64_t row = (image.width * channels * page.bits + 7) / 8;
  const bool plain = directory.one(kCompression, 1) == 1 && page.colour != kYcbcr;
  // Strips may be filled up to whole words; more than that are rows that the header does not tell.
  const int64_t in_strip =
      std::clamp<int64_t>(directory.one(kRowsPerStrip, image.height), 1, image.height);
  const int64_t strips = (image.height + in_strip - 1) / in_strip;
  const int64_t most = image.height * row + 4 * strips;
  if (!tiled && (static_cast<int64_t>(offsets.size()) != strips || (plain && present > most))) {
    throw refusal(
        "TIFF", path,
        fmt::format("found {} bytes of samples in {} strips, wanted {} in {} for {} x {} pixels: "
                    "its header is wrong, write it again",
                    present, offsets.size(), image.height * row, strips, image.width,
                    image.height));
  }
  if (offsets.size() != counts.size() || (plain && present < image.height * row)) {
    throw refusal(
        "TIFF", path,
        fmt::format("found {} bytes of samples in {} strips or tiles, wanted {}; it is damaged",
                    present, offsets.size(), image.height * row));
  }
}

TiffPage read_page(const Directory& directory, size_t at, std::string_view file,
                   const fs::path& path, const ImageLimits& limits) {
  TiffPage page{.at = at,
                .image = {},
                .bits = directory.one(kBits, 1),
                .colour = directory.one(kPhotometric, kBlackIsZero)};
  Image& image = page.image;
  image.width = directory.one(kWidth, 0);
  image.height = directory.one(kHeight, 0);
  const int64_t channels = directory.one(kChannels, 1), bits = page.bits;
  const int64_t format = directory.one(kSampleFormat, 1);
  const auto sample = sample_of(bits, format);
  const bool grey = page.colour <= kBlackIsZero && channels == 1;
  const bool rgb = page.colour == kTiffRgb && channels == 3 && bits >= 8;
  const bool coded =
      sample == Sample::u8 && bits == 8 &&
      (page.colour == kTiffPalette ? channels == 1 : page.colour == kYcbcr && channels == 3);
  const bool turnable =
      page.colour != kWhiteIsZero || sample == Sample::u8 || sample == Sample::u16;
  const char* wrong = !sample ? "this sample type"
                      : !(grey || rgb || coded)
                          ? "these channels (wanted grey or RGB, without alpha)"
                      : !turnable ? "white-is-zero for signed samples"
                      : channels > 1 && directory.one(kPlanes, 1) != 1
                          ? "separate planes (wanted interleaved channels)"
                      : directory.one(kOrientation, 1) != 1 ? "an orientation other than top left"
                                                            : nullptr;
  if (wrong != nullptr) {
    throw refusal(
        "TIFF", path,
        fmt::format("{} not read: found {} channels of {} bits, sample format {}, "
                    "photometric {}, orientation {}; "
                    "write it again as plain grey or RGB",
                    wrong, channels, bits, format, page.colour, directory.one(kOrientation, 1)));
  }
  image.channels = page.colour == kTiffPalette ? 3 : channels;
  image.sample = *sample;
  check_size("TIFF", path, image, limits);  // its products fit 64 bits from here on
  check_data(directory, page, file, path);
  if (page.colour == kTiffPalette) image.notes.push_back("palette expanded to RGB");
  if (page.colour == kWhiteIsZero) image.notes.push_back("white-is-zero inverted");
  if (bits == 1) image.notes.push_back("grey of 1 bit(s) scaled to 0..255");
  return page;
}

std::vector<TiffPage> read_pages(std::string_view file, Order order, const fs::path& path,
                                 const ImageLimits& limits) {
  std::vector<TiffPage> pages;
  size_t reduced = 0, bytes = 0;
  for (size_t at = u32_at(file, 4, order); at != 0;) {
    const Directory directory(file, at, order, path);
    bytes += directory.bytes();
    if (bytes > file.size() || pages.size() + reduced == kMostPages) {
      throw refusal("TIFF", path,
                    fmt::format("its directories go in a circle, or are more than {}", kMostPages));
    }
    if ((directory.one(kSubfile, 0) & 1) == 0) {
      pages.push_back(read_page(directory, at, file, path, limits));
      const TiffPage& first = pages.front();
      if (!alike(pages.back(), first)) {
        throw refusal("TIFF", path,
                      fmt::format("page {} is {} x {} with {} channels, page 1 is {} x {} with {} "
                                  "channels, or their samples "
                                  "differ; wanted pages that are alike",
                                  pages.size(), pages.back().image.width, pages.back().image.height,
                                  pages.back().image.channels, first.image.width,
                                  first.image.height, first.image.channels));
      }
      pages.front().image.frames = static_cast<int64_t>(pages.size());
      check_size("TIFF", path, first.image, limits);
    } else {
      ++reduced;
    }
    at = directory.next();
  }
  if (pages.empty()) throw refusal("TIFF", path, "found no page");
  // Stacks of more than 4 GiB, which ImageJ writes behind one directory.
  const Directory first(file, pages.front().at, order, path);
  const std::string_view description = first.letters(kDescription);
  const size_t images = description.find("\nimages=");
  if (description.starts_with("ImageJ=") && images != std::string_view::npos) {
    const std::string_view number = description.substr(images + 8);
    size_t stated = 0;
    std::from_chars(number.data(), number.data() + number.size(), stated);
    if (stated > pages.size() + reduced)
      throw refusal("TIFF", path,
                    fmt::format("ImageJ says that it holds {} images, found {} pages; save it as "
                                "one page per image",
                                stated, pages.size()));
  }
  if (reduced > 0)
    pages.front().image.notes.push_back(fmt::format("{} reduced copies left out", reduced));
  return pages;
}

}  // namespace

bool is_tiff(std::string_view head) {
  return head.starts_with(std::string_view("II*\0", 4)) ||
         head.starts_with(std::string_view("MM\0*", 4)) ||
         head.starts_with(std::string_view("II+\0", 4)) ||
         head.starts_with(std::string_view("MM\0+", 4));
}

Image decode_tiff(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  if (!is_tiff(file) || file.size() < 8) {
    throw refusal("TIFF", path,
                  "it does not start with the header of TIFF; check what the file is");
  }
  const Order order = file[0] == 'M' ? Order::big : Order::little;
  if (u16_at(file, 2, order) == 43)
    throw refusal("TIFF", path, "found BigTIFF; write it again as TIFF of below 4 GiB");
  const std::vector<TiffPage> pages = read_pages(file, order, path, limits);
  Image image = pages.front().image;
  allocate(image);
  TiffSamples samples(file, path);
  const size_t frame = image.pixels.size() / pages.size();
  for (size_t i = 0; i < pages.size(); ++i) samples.decode(pages[i], &image.pixels[i * frame]);
  if (pages.front().colour == kWhiteIsZero) {  // unsigned samples: see read_page
    for (std::byte& byte : image.pixels) byte = ~byte;
  }
  return image;
}

Image read_tiff(const fs::path& path, const ImageLimits& limits) {
  return decode_tiff(storage::read_file(path, limits.max_decoded_bytes), path, limits);
}

}  // namespace fovea::io
