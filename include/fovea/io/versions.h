// The versions of the libraries behind the picture formats, for `fovea doctor`.
#pragma once

#include <string>

namespace fovea::io {

std::string opencv_version();

}  // namespace fovea::io
