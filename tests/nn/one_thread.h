// One thread for a while.
#pragma once

#include <ATen/Parallel.h>

namespace fovea::test {

/// Tensors of a few values are not worth a team of threads, which would wait for one another.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(threads_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int threads_ = at::get_num_threads();
};

}  // namespace fovea::test
