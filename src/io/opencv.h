// What the pictures of all formats share: OpenCV decodes them, from memory, in the calling thread.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <string_view>

#include "fovea/io/image_file.h"

namespace fovea::io {

/// To be called before any other function of OpenCV: its own threads off (the loader has threads of
/// its own), and its log, which repeats in its own words what becomes an Error here. Runs once.
void prepare_opencv();

/// The type of an OpenCV matrix for the samples of an image, -1 where OpenCV has none.
int matrix_type(const Image& image);

/// A view of one frame of `image` as a matrix of the same memory.
cv::Mat frame_matrix(Image& image, int64_t frame);

/// Decodes `file` into a frame of `image`, whose size and sample type are set and whose pixels are
/// allocated; BGR becomes RGB. A data Error where OpenCV cannot or finds another size.
void decode_frame(const char* format, const std::filesystem::path& path, std::string_view file,
                  int flags, Image& image, int64_t frame);

}  // namespace fovea::io
