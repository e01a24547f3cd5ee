#include "fovea/core/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <set>

namespace fovea {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_color_mt("fovea");
    made->set_pattern("%^%l%$: %v");
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    default:
      return spdlog::level::warn;
  }
}

std::mutex mutex;
std::function<void(Level, const std::string&)> extra_sink;

}  // namespace

void log(Level level, const std::string& message) {
  const std::lock_guard lock(mutex);
  logger().log(level_of(level), "{}", message);
  if (extra_sink) extra_sink(level, message);
}

void log_once(const std::string& key, const std::string& message) {
  static std::set<std::string> said;
  {
    const std::lock_guard lock(mutex);
    if (!said.insert(key).second) return;
  }
  log(Level::info, message);
}

void set_log_level(Level level) { logger().set_level(level_of(level)); }

void set_log_sink(std::function<void(Level, const std::string&)> sink) {
  const std::lock_guard lock(mutex);
  extra_sink = std::move(sink);
}

}  // namespace fovea
