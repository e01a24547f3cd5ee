#include "fovea/bundle/openmp_guard.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <latch>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/core/log.h"

namespace fovea {
namespace {

/// What is known of the calling thread.
struct Team {
  pid_t process = 0;  ///< in which it computed first; 0: nowhere yet
  int threads = 0;    ///< of LibTorch in this thread
  int of_caller = 0;  ///< as they were left to the caller
  int started = 1;    ///< the largest team that the system had threads for
};

/// Whether so many can run at the same time.
bool can_start(int threads) {
  std::latch all(1);
  std::vector<std::jthread> trial;
  bool enough = true;
  try {
    for (int t = 0; t < threads; ++t) trial.emplace_back([&all] { all.wait(); });
  } catch (const std::system_error&) {
    enough = false;
  }
  all.count_down();
  return enough;
}

int threads_for(Team& team, int of_caller) {
  if (team.process == 0) {
    team.process = getpid();
    at::get_num_threads();  // LibTorch sets the number once per thread, here
    team.threads = std::min(of_caller, omp_get_max_threads());
  } else if (of_caller != team.of_caller) {  // the caller has changed it
    team.threads = of_caller;
  }
  if (team.process != getpid()) {
    log_once(
        "fork",
        "this process was forked by a thread in which a model had computed: it goes on with one "
        "core in that thread; a new thread computes on all of them");
    return 1;
  }
  if (team.threads <= team.started) return team.threads;
  if (!can_start(team.threads - 1)) {
    log_once("team", "the system starts no more threads: computing on one");
    return 1;
  }
  return team.started = team.threads;
}

Team& team() {
  thread_local Team here;
  return here;
}

}  // namespace

OpenMpGuard::OpenMpGuard() : of_caller_(omp_get_max_threads()) {
  omp_set_num_threads(threads_for(team(), of_caller_));
}

OpenMpGuard::~OpenMpGuard() {
  omp_set_num_threads(of_caller_);
  team().of_caller = of_caller_;
}

void rethrow_as_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw resource_error("not enough memory", "use fewer threads or smaller inputs");
  } catch (const c10::Error& error) {
    throw Error(Fault::internal, error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw Error(Fault::internal, error.what());
  }
}

}  // namespace fovea
