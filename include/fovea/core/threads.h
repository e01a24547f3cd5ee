// Threads: how many there may be, a loop of independent pieces of work on several, and threads that
// work beside the one that made them.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea {

/// How many threads of this process run at the same time: the processors that it is bound to, or
/// fewer where its container has a quota of time (cgroup v2, cpu.max; a part of one counts as one).
int64_t processors();

/// Threads that end with this object, which asks them to stop and joins them. Where the system starts
/// no more (a limit of the user or of the container) there are fewer, said once.
class Workers {
 public:
  Workers() = default;
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Starts up to `threads`; each calls `work` once, which lets no exception out.
  void start(int64_t threads, const std::function<void(const std::stop_token&)>& work);
  int64_t size() const { return static_cast<int64_t>(threads_.size()); }

 private:
  std::vector<std::jthread> threads_;
};

/// body(0) … body(count - 1) on up to `threads` threads (0: as many as run at the same time), of which
/// the calling one is the first: where the system starts no others it does all. What it throws ends the loop: of several exceptions the first by number is thrown, when all have ended.
void for_each_index(int64_t count, int64_t threads, const std::function<void(int64_t)>& body);

}  // namespace fovea
