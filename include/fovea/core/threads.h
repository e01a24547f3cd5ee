// Threads for a loop of independent pieces of work.
#pragma once

#include <cstdint>
#include <functional>

#include "fovea/core/standard_library.h"

namespace fovea {

/// Runs `work(false)` on the calling thread and `work(true)` on up to `threads - 1` others at the same
/// time; returns when all have ended. Where the system starts no more threads (a limit of the user or
/// of the container) it goes on with those there are, said once: `work` takes one piece after the
/// other until none is left, so that fewer do the same. It lets no exception out.
void on_threads(int64_t threads, const std::function<void(bool started_for_it)>& work);

}  // namespace fovea
