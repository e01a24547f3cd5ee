#include <fmt/format.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>
#include <string>

#include "fovea/io/image_file.h"
#include "fovea/storage/file.h"
#include "io/exif.h"
#include "io/image_reading.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

struct Delete {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, Delete>;

// The first image; its samples are within the file.
class Frame {
 public:
  explicit Frame(const WebPDemuxer* demuxer) : found_(WebPDemuxGetFrame(demuxer, 1, &it_) == 1) {}
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  ~Frame() { WebPDemuxReleaseIterator(&it_); }

  bool found() const { return found_; }
  const WebPIterator* operator->() const { return &it_; }

 private:
  WebPIterator it_{};
  bool found_;
};

int orientation_of(const WebPDemuxer* demuxer) {
  int orientation = 1;
  WebPChunkIterator it{};
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &it) == 1) {
    std::string_view exif(reinterpret_cast<const char*>(it.chunk.bytes), it.chunk.size);
    if (exif.starts_with(kExif)) exif.remove_prefix(kExif.size());  // as some write it
    orientation = exif_orientation(exif);
  }
  WebPDemuxReleaseChunkIterator(&it);
  return orientation;
}

void background(const WebPDemuxer* demuxer, Image& image) {
  const uint32_t colour = WebPDemuxGetI(demuxer, WEBP_FF_BACKGROUND_COLOR);  // blue lowest
  auto* to = image.data<uint8_t>();
  for (int64_t i = 0; i < image.height * image.width; ++i) {
    for (int shift = 16; shift >= 0; shift -= 8) *to++ = static_cast<uint8_t>(colour >> shift);
  }
  image.notes.push_back("the first frame is smaller than the image: the rest is background");
}

}  // namespace

bool is_webp(std::string_view head) {
  return head.starts_with("RIFF") &&
         head.substr(std::min<size_t>(head.size(), 8)).starts_with("WEBP");
}

Image decode_webp(std::string_view file, const fs::path& path, const ImageLimits& limits) {
  if (!is_webp(file))
    throw refusal("WebP", path,
                  "it does not start with the header of WebP; check what the file is");
  const WebPData data{reinterpret_cast<const uint8_t*>(file.data()), file.size()};
  const Demuxer demuxer(WebPDemux(&data));
  if (!demuxer) {
    throw refusal("WebP", path,
                  fmt::format("its parts are not whole within its {} bytes: the file is cut off or "
                              "damaged, copy it again",
                              file.size()));
  }
  Image image;
  image.width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
  image.height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
  image.channels = 3;
  check_size("WebP", path, image, limits);
  const Frame frame(demuxer.get());
  const auto outside = [&] {
    return frame->x_offset < 0 || frame->y_offset < 0 || frame->width <= 0 || frame->height <= 0 ||
           frame->width > image.width - frame->x_offset ||
           frame->height > image.height - frame->y_offset;
  };
  if (!frame.found() || outside()) {
    throw refusal("WebP", path,
                  fmt::format("found no image inside its {} x {} pixels; write the file again "
                              "from its source",
                              image.width, image.height));
  }
  if (frame->has_alpha == 1) image.notes.push_back("alpha channel dropped");
  if (frame->num_frames > 1)
    image.notes.push_back(
        fmt::format("animated: {} frames after the first are left out", frame->num_frames - 1));
  allocate(image);
  if (frame->width < image.width || frame->height < image.height) background(demuxer.get(), image);
  const int64_t first = 3 * (frame->y_offset * image.width + frame->x_offset);
  const WebPData& coded = frame->fragment;
  int width = 0, height = 0;
  if (WebPGetInfo(coded.bytes, coded.size, &width, &height) == 0 || width != frame->width ||
      height != frame->height ||
      WebPDecodeRGBInto(coded.bytes, coded.size, image.data<uint8_t>() + first,
                        image.pixels.size() - static_cast<size_t>(first),
                        static_cast<int>(3 * image.width)) == nullptr) {
    throw refusal("WebP", path,
                  fmt::format("libwebp finds the {} bytes of its samples damaged, or had no memory "
                              "for them; write the file again from its source",
                              coded.size));
  }
  apply_orientation(image, orientation_of(demuxer.get()));
  return image;
}

Image read_webp(const fs::path& path, const ImageLimits& limits) {
  return decode_webp(storage::read_file(path, limits.max_decoded_bytes), path, limits);
}

}  // namespace fovea::io
