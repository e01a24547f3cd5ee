#include "io/opencv.h"

#include <fmt/format.h>

#include <limits>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "io/picture.h"

namespace fovea::io {

void prepare_opencv() {
  static const bool once = [] {
    cv::setNumThreads(1);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    return true;
  }();
  static_cast<void>(once);
}

int matrix_type(const Image& image) {
  const int channels = static_cast<int>(image.channels);
  switch (image.sample) {
    case Sample::u8:
      return CV_8UC(channels);
    case Sample::i8:
      return CV_8SC(channels);
    case Sample::u16:
      return CV_16UC(channels);
    case Sample::i16:
      return CV_16SC(channels);
    case Sample::i32:
      return CV_32SC(channels);
    case Sample::f32:
      return CV_32FC(channels);
    case Sample::f64:
      return CV_64FC(channels);
    default:
      return -1;
  }
}

cv::Mat frame_matrix(Image& image, int64_t frame) {
  const int64_t bytes = image.height * image.width * image.channels * bytes_of(image.sample);
  return {static_cast<int>(image.height), static_cast<int>(image.width), matrix_type(image),
          image.pixels.data() + frame * bytes};
}

void decode_frame(const char* format, const std::filesystem::path& path, std::string_view file,
                  int flags, Image& image, int64_t frame) {
  prepare_opencv();
  if (file.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw refusal(format, path, fmt::format("found {} bytes, wanted less than 2 GiB", file.size()));
  }
  const cv::Mat bytes(1, static_cast<int>(file.size()), CV_8U, const_cast<char*>(file.data()));
  cv::Mat target = frame_matrix(image, frame);
  cv::Mat decoded = target;  // imdecode writes here where size and type agree
  try {
    cv::imdecode(bytes, flags | cv::IMREAD_IGNORE_ORIENTATION, &decoded);
    if (decoded.size() != target.size() || decoded.type() != target.type()) {
      throw refusal(format, path,
                    "the picture data are damaged; write the file again from its source");
    }
    if (image.channels == 3)
      cv::cvtColor(decoded, target, cv::COLOR_BGR2RGB);
    else if (decoded.data != target.data)
      decoded.copyTo(target);
  } catch (
      const cv::Exception&) {  // its message holds no more than the name of a check inside OpenCV
    throw refusal(format, path, "it cannot be decoded (OpenCV refused it)");
  }
}

}  // namespace fovea::io
