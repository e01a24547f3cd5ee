#include "fovea/core/threads.h"

#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "fovea/core/log.h"

namespace fovea {

void on_threads(int64_t threads, const std::function<void(bool started_for_it)>& work) {
  std::vector<std::jthread> others;  // join when they leave the scope, whatever happens here
  try {
    for (int64_t t = 1; t < threads; ++t) others.emplace_back([&work] { work(true); });
  } catch (const std::system_error& error) {
    log_once("threads", "the system starts no more threads (" + error.code().message() +
                            "): going on with " + std::to_string(others.size() + 1) + " of " +
                            std::to_string(threads));
  }
  work(false);
}

}  // namespace fovea
