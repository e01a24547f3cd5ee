// A library in another program's threads: what computing changes in them and leaves as it was.
#pragma once

#include <utility>

#include "fovea/core/standard_library.h"

namespace fovea {

/// While it lives, LibTorch computes on as many threads as the calling thread's OpenMP would start;
/// afterwards that number is the caller's own again, which LibTorch changes.
///
/// OpenMP's threads do not survive a fork: what computed before the fork computes on one thread in
/// the child, said once. A thread that starts its first team asks whether the system has the threads
/// for it, because OpenMP ends the process where it has not.
class OpenMpGuard {
 public:
  OpenMpGuard();
  ~OpenMpGuard();
  OpenMpGuard(const OpenMpGuard&) = delete;
  OpenMpGuard& operator=(const OpenMpGuard&) = delete;

 private:
  int of_caller_;
};

/// The exception being handled, as an Error: embedders need not know LibTorch's.
[[noreturn]] void rethrow_as_error();

/// Runs `body` under the guard; what leaves it is an Error.
template <class Body>
decltype(auto) guarded(Body&& body) {
  const OpenMpGuard guard;
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    rethrow_as_error();
  }
}

}  // namespace fovea
