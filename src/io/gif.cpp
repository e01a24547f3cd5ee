#include <fmt/format.h>
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "io/image_reading.h"
#include "io/palette.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

// giflib over a file in memory.
class Reader {
 public:
  Reader(std::string_view file, const fs::path& path) : left_(file), path_(path) {
    int error = 0;
    gif_ = DGifOpen(this, read, &error);
    if (gif_ == nullptr) refuse(error);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { DGifCloseFile(gif_, nullptr); }

  GifFileType* operator->() const { return gif_; }
  GifFileType* get() const { return gif_; }
  void check(int result) const {
    if (result == GIF_ERROR) refuse(gif_->Error);
  }

 private:
  static int read(GifFileType* gif, GifByteType* to, int bytes) {
    std::string_view& left = static_cast<Reader*>(gif->UserData)->left_;
    const size_t count = std::min(left.size(), static_cast<size_t>(std::max(bytes, 0)));
    std::memcpy(to, left.data(), count);
    left.remove_prefix(count);
    return static_cast<int>(count);
  }
  [[noreturn]] void refuse(int error) const {
    const char* said = GifErrorString(error);
    throw refusal("GIF", path_,
                  fmt::format("it is cut off or damaged (giflib: {}); copy it again",
                              said == nullptr ? "no reason" : said));
  }

  std::string_view left_;
  fs::path path_;
  GifFileType* gif_ = nullptr;
};

// Goes on to the next image; false at the end of the file. `transparent` becomes true where an
// extension on the way says that a colour is.
bool next_image(const Reader& gif, bool& transparent) {
  for (;;) {
    GifRecordType type{};
    gif.check(DGifGetRecordType(gif.get(), &type));
    if (type == TERMINATE_RECORD_TYPE) return false;
    if (type == IMAGE_DESC_RECORD_TYPE) {
      gif.check(DGifGetImageHeader(gif.get()));
      return true;
    }
    int code = 0;
    GifByteType* block = nullptr;  // its first byte is its length
    gif.check(DGifGetExtension(gif.get(), &code, &block));
    for (; block != nullptr; gif.check(DGifGetExtensionNext(gif.get(), &block))) {
      if (code == GRAPHICS_EXT_FUNC_CODE && block[0] >= 1 && (block[1] & 1) != 0)
        transparent = true;
    }
  }
}

Palette palette_of(const ColorMapObject* colours) {
  Palette palette;
  for (int i = 0; colours != nullptr && i < colours->ColorCount; ++i) {
    const GifColorType& colour = colours->Colors[i];
    palette.add({colour.Red, colour.Green, colour.Blue});
  }
  return palette;
}

struct Header {
  Image image;      // without pixels
  Palette palette;  // of the first image, whose place on the screen follows
  int64_t left = 0, top = 0, width = 0, height = 0;
  bool interlaced = false, whole = false;
};

// Of the first image, up to its samples.
Header read_header(const Reader& gif, const fs::path& path, const ImageLimits& limits) {
  bool transparent = false;
  if (!next_image(gif, transparent))
    throw refusal("GIF", path, "found no image; write the file again from its source");
  const GifImageDesc& first = gif->Image;
  Header header;
  header.left = first.Left;
  header.top = first.Top;
  header.width = first.Width;
  header.height = first.Height;
  header.interlaced = first.Interlace;
  header.palette = palette_of(first.ColorMap != nullptr ? first.ColorMap : gif->SColorMap);
  Image& image = header.image;
  image.width = std::max<int64_t>(gif->SWidth, header.left + header.width);
  image.height = std::max<int64_t>(gif->SHeight, header.top + header.height);
  image.channels = header.palette.channels();
  if (header.width == 0 || header.height == 0 || header.palette.size() == 0) {
    throw refusal("GIF", path,
                  fmt::format("found {} x {} pixels and {} colours, wanted at least one of each; "
                              "write the file again from its source",
                              header.width, header.height, header.palette.size()));
  }
  check_size("GIF", path, image, limits);
  header.palette.note(image);
  if (transparent) image.notes.push_back("transparent colour ignored");
  header.whole = header.width == image.width && header.height == image.height;
  return header;
}

// What the first image leaves of the screen has its background colour.
void background(const Reader& gif, Image& image) {
  std::array<uint8_t, 3> colour{};
  palette_of(gif->SColorMap).put(static_cast<size_t>(gif->SBackGroundColor), 3, colour.data());
  auto* to = image.data<uint8_t>();
  for (int64_t i = 0; i < image.height * image.width; ++i, to += image.channels)
    std::copy_n(colour.begin(), image.channels, to);
  image.notes.push_back("the first frame is smaller than the image: the rest is background");
}

// The row that is stored as number i of an interlaced image: every eighth from 0, every eighth
// from 4, every fourth from 2, every second from 1.
std::vector<int64_t> order_of_rows(const Header& header) {
  std::vector<int64_t> order;
  const auto pass = [&](int64_t from, int64_t step) {
    for (int64_t y = from; y < header.height; y += step) order.push_back(y);
  };
  if (header.interlaced) {
    pass(0, 8);
    pass(4, 8);
    pass(2, 4);
    pass(1, 2);
  } else {
    pass(0, 1);
  }
  return order;
}

void decode_rows(const Reader& gif, const Header& header, const fs::path& path, Image& image) {
  std::vector<GifPixelType> row(static_cast<size_t>(header.width));
  for (const int64_t y : order_of_rows(header)) {
    gif.check(DGifGetLine(gif.get(), row.data(), static_cast<int>(header.width)));
    uint8_t* to =
        image.data<uint8_t>() + ((header.top + y) * image.width + header.left) * image.channels;
    for (const GifPixelType index : row) {
      if (!header.palette.put(index, image.channels, to)) {
        throw refusal("GIF", path,
                      fmt::format("found colour {} in a palette of {}; write the file again from "
                                  "its source",
                                  index, header.palette.size()));
      }
      to += image.channels;
    }
  }
}

// Images after the first, whose samples are passed over, up to the end of the file.
int64_t count_others(const Reader& gif) {
  int64_t others = 0;
  for (bool ignored = false; next_image(gif, ignored); ++others) {
    int size = 0;
    GifByteType* block = nullptr;
    gif.check(DGifGetCode(gif.get(), &size, &block));
    while (block != nullptr) gif.check(DGifGetCodeNext(gif.get(), &block));
  }
  return others;
}

}  // namespace

bool is_gif(std::string_view head) {
  return head.starts_with("GIF87a") || head.starts_with("GIF89a");
}

StoredImage stored_gif(std::string_view head) {
  const Reader gif(head, "");
  return {.channels = read_header(gif, "", {}).image.channels, .bits = 8};
}

Image decode_gif(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  if (!is_gif(file))
    throw refusal("GIF", path, "it does not start with the header of GIF; check what the file is");
  const Reader gif(file, path);
  const Header header = read_header(gif, path, limits);
  Image image = header.image;
  allocate(image);
  if (!header.whole) background(gif, image);
  decode_rows(gif, header, path, image);
  if (const int64_t others = count_others(gif); others > 0)
    image.notes.push_back(fmt::format("animated: {} frames after the first are left out", others));
  return image;
}

Image read_gif(const fs::path& path, const ImageLimits& limits) {
  return decode_gif(storage::read_file(path, limits.max_decoded_bytes), path, limits);
}

}  // namespace fovea::io
