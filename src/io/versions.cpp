#include "fovea/io/versions.h"

#include <opencv2/core/utility.hpp>

namespace fovea::io {

std::string opencv_version() { return cv::getVersionString(); }

}  // namespace fovea::io
