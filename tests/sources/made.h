// Pictures and settings made for the tests of this module.
#pragma once

#include <functional>

#include "fovea/core/error.h"
#include "fovea/io/image_file.h"
#include "fovea/sources/source.h"
#include "support/test_files.h"

namespace fovea::sources {

/// A grey picture of height x width whose first pixel is `mark` and the others 100.
inline Image grey(uint8_t mark, int64_t height = 4, int64_t width = 5) {
  Image image;
  image.height = height;
  image.width = width;
  image.pixels.assign(static_cast<size_t>(height * width), std::byte{100});
  image.pixels[0] = std::byte{mark};
  return image;
}

inline void write_picture(const std::filesystem::path& path, uint8_t mark, int64_t height = 4,
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

inline uint8_t mark_of(const Example& example) {
  return example.inputs.at("image").flatten()[0].item<uint8_t>();
}

}  // namespace fovea::sources
