#include "fovea/io/versions.h"

#include <fmt/format.h>
#include <gif_lib.h>
#include <libdeflate.h>
#include <tiffio.h>
#include <webp/decode.h>

#include <cstdio>  // jpeglib.h needs it
#include <opencv2/core/utility.hpp>

#include <jpeglib.h>

namespace fovea::io {
namespace {

// "LIBTIFF, Version 4.5.0\nCopyright …" of the library that is loaded.
std::string tiff_version() {
  const std::string text = TIFFGetVersion(), line = text.substr(0, text.find('\n'));
  return line.substr(line.rfind(' ') + 1);
}

std::string jpeg_version() {  // 2001005 is 2.1.5
  constexpr int number = LIBJPEG_TURBO_VERSION_NUMBER;
  return fmt::format("{}.{}.{}", number / 1'000'000, number / 1000 % 1000, number % 1000);
}

std::string webp_version() {  // 0x010204 is 1.2.4
  const int number = WebPGetDecoderVersion();
  return fmt::format("{}.{}.{}", number >> 16, number >> 8 & 255, number & 255);
}

}  // namespace

std::vector<LibraryVersion> library_versions() {
  return {{"OpenCV", cv::getVersionString()},
          {"libdeflate", LIBDEFLATE_VERSION_STRING},
          {"libjpeg-turbo", jpeg_version()},
          {"libtiff", tiff_version()},
          {"libwebp", webp_version()},
          {"giflib", fmt::format("{}.{}.{}", GIFLIB_MAJOR, GIFLIB_MINOR, GIFLIB_RELEASE)}};
}

}  // namespace fovea::io
