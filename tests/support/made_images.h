// Images made for tests, and the Error that a test expects.
#pragma once

#include <filesystem>
#include <functional>

#include "fovea/core/error.h"
#include "fovea/image/image.h"
#include "fovea/io/image_file.h"

namespace fovea::test {

/// A grey image of height x width whose first pixel is `mark` and the others 100.
inline Image grey(uint8_t mark, int64_t height = 4, int64_t width = 5) {
  Image image;
  image.height = height;
  image.width = width;
  image.pixels.assign(static_cast<size_t>(height * width), std::byte{100});
  image.pixels[0] = std::byte{mark};
  return image;
}

inline void write_image(const std::filesystem::path& path, uint8_t mark, int64_t height = 4,
                        int64_t width = 5) {
  std::filesystem::create_directories(path.parent_path());
  io::write_png(path, grey(mark, height, width));
}

/// The Error that `body` throws; an internal one that says "no error" where it throws none.
inline Error refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return Error(Fault::internal, "no error");
}

}  // namespace fovea::test
