// For all that call OpenCV from many threads.
#pragma once

#include <opencv2/core/utility.hpp>

namespace fovea::io {

/// Runs `body`, which calls OpenCV, on the calling thread: within a loop of its own OpenCV starts no
/// threads. How many it starts elsewhere belongs to the whole process, which may be another's.
template <class Body>
void on_this_thread(const Body& body) {
  cv::parallel_for_(cv::Range(0, 1), [&](const cv::Range&) { body(); });
}

}  // namespace fovea::io
