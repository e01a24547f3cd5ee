#include "fovea/core/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <mutex>
#include <set>

namespace fovea {
namespace {

// Our own, not in spdlog's registry: a host that uses spdlog keeps its own.
spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("fovea", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made.set_pattern("%^%l%$: %v");
    return made;
  }();
  return instance;
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
std::function<std::string(const std::string&)> own_words;

}  // namespace

void log(Level level, const std::string& message) {
  const std::lock_guard lock(mutex);
  const std::string said = own_words ? own_words(message) : message;
  logger().log(level_of(level), "{}", said);
  if (extra_sink) extra_sink(level, said);
}

void log_once(const std::string& key, const std::string& message, Level level) {
  static std::set<std::string> said;
  {
    const std::lock_guard lock(mutex);
    if (!said.insert(key).second) return;
  }
  log(level, message);
}

void set_log_level(Level level) { logger().set_level(level_of(level)); }

void set_log_words(std::function<std::string(const std::string&)> words) {
  const std::lock_guard lock(mutex);
  own_words = std::move(words);
}

void set_log_sink(std::function<void(Level, const std::string&)> sink) {
  const std::lock_guard lock(mutex);
  extra_sink = std::move(sink);
}

}  // namespace fovea
