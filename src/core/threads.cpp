#include "fovea/core/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>
#include <system_error>

#include "fovea/core/log.h"

namespace fovea {
namespace {

int64_t bound_to() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return std::max(1u, std::thread::hardware_concurrency());  // more than the set has places for
}

/// "150000 100000" in cpu.max is one and a half processors; "max …" is not a limit.
int64_t quota() {
  constexpr int64_t kNone = INT64_MAX;
  std::string word, period;
  if (!(std::ifstream("/sys/fs/cgroup/cpu.max") >> word >> period)) return kNone;
  int64_t most = 0, of = 0;
  const auto read = [](const std::string& text, int64_t& value) {
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
  };
  if (!read(word, most) || !read(period, of) || most <= 0 || of <= 0) return kNone;
  return std::max<int64_t>(1, (most + of - 1) / of);
}

}  // namespace

int64_t processors() { return std::min(bound_to(), quota()); }

void Workers::start(int64_t threads, const std::function<void(const std::stop_token&)>& work) {
  try {
    for (int64_t t = 0; t < threads; ++t)
      threads_.emplace_back([work](const std::stop_token& stop) { work(stop); });
  } catch (const std::system_error& error) {
    log_once("threads", "the system starts no more threads (" + error.code().message() +
                            "): " + std::to_string(threads_.size()) + " of " +
                            std::to_string(threads) + " could be started");
  }
}

Workers::~Workers() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();  // joins
}

void for_each_index(int64_t count, int64_t threads, const std::function<void(int64_t)>& body) {
  if (threads <= 0) threads = processors();
  std::atomic<int64_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  int64_t failed_at = count;
  const auto work = [&] {
    for (int64_t i = next++; i < count; i = next++) try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed_at) {
          failed_at = i;
          failure = std::current_exception();
        }
        next = count;
      }
  };
  {
    Workers others;  // joined where the scope ends
    others.start(std::min(threads, count) - 1, [&work](const std::stop_token&) { work(); });
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace fovea
