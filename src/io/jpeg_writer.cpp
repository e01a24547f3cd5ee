#include "fovea/io/jpeg_writer.h"

#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it
#include <cstdlib>

#include <jpeglib.h>

#include "fovea/core/error.h"

namespace fovea::io {
namespace {

struct Encoder {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type

  ~Encoder() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
};

void on_error(j_common_ptr info) {
  std::longjmp(static_cast<Encoder*>(info->client_data)->escape, 1);
}

// Holds nothing that a jump would leave without its destructor.
bool encode(const Image& image, int quality, Encoder& encoder) {
  jpeg_compress_struct& info = encoder.info;
  info.err = jpeg_std_error(&encoder.errors);
  info.client_data = &encoder;
  encoder.errors.error_exit = on_error;
  if (setjmp(encoder.escape) != 0) return false;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &encoder.bytes, &encoder.size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = static_cast<int>(image.channels);
  info.in_color_space = image.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  const int64_t row_bytes = image.width * image.channels;
  while (info.next_scanline < info.image_height) {
    // libjpeg reads rows through a pointer to non-const.
    auto* row = const_cast<JSAMPROW>(image.data<JSAMPLE>() + info.next_scanline * row_bytes);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

std::string encode_jpeg(const Image& image, int quality) {
  constexpr int64_t kLargestSide = JPEG_MAX_DIMENSION;
  if (image.frames != 1 || image.sample != Sample::u8 ||
      (image.channels != 1 && image.channels != 3) || image.width < 1 || image.height < 1 ||
      image.width > kLargestSide || image.height > kLargestSide)
    throw config_error(
        fmt::format("writing JPEG: found {} frames of {} x {} with {} channels, wanted one frame "
                    "of 8 bits, at most "
                    "{} pixels wide and high, grey or RGB",
                    image.frames, image.width, image.height, image.channels, kLargestSide));
  Encoder encoder;
  if (!encode(image, quality, encoder))
    throw Error(Fault::internal, "libjpeg could not write an image");
  return {reinterpret_cast<const char*>(encoder.bytes), encoder.size};
}

}  // namespace fovea::io
