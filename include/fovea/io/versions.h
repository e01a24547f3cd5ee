// The versions of the libraries behind the image formats, for `fovea doctor`.
#pragma once

#include <string>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::io {

struct LibraryVersion {
  std::string name;
  std::string version;
};

/// OpenCV, libdeflate, libjpeg-turbo, libtiff, libwebp and giflib.
std::vector<LibraryVersion> library_versions();

}  // namespace fovea::io
